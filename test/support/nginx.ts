/** nginx before a registry, as a process of ours: its own prefix, no service. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { peer } from './peers.ts';
import { freePort, waitForPort } from './ports.ts';
import { start } from './processes.ts';

export interface Nginx {
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** @param upstream `host:port` of a registry with plain HTTP */
export async function startNginx(folder: string, upstream: string, maxBody: string): Promise<Nginx> {
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  const config = join(folder, 'nginx.conf');
  await writeFile(
    config,
    `daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
error_log ${join(folder, 'error.log')};
events { worker_connections 256; }
http {
  access_log ${join(folder, 'access.log')};
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    client_max_body_size ${maxBody};
    location / {
      proxy_pass http://${upstream};
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`,
  );
  const running = start(peer('nginx'), ['-p', folder, '-c', config, '-e', join(folder, 'error.log')]);
  try {
    await waitForPort(port, running.exited);
  } catch (error) {
    await running.stop();
    throw new Error(`nginx did not start:\n${running.output()}`, { cause: error });
  }
  return { address: `127.0.0.1:${port}`, pid: running.pid, stop: async () => void (await running.stop()) };
}

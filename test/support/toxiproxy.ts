/** A slow network: toxiproxy in front of an address. */
import { peer } from './peers.ts';
import { freePort, waitForPort } from './ports.ts';
import { start } from './processes.ts';

interface ProxyOptions {
  /** The round trip to add, in milliseconds; half of it in each direction. */
  roundTripMs?: number;
  /** The bandwidth towards the upstream, in KiB per second and connection. */
  uploadKiBps?: number;
  /** The same from the upstream. */
  downloadKiBps?: number;
}

interface SlowProxy {
  readonly address: string;
  close(): Promise<void>;
}

export interface Toxiproxy {
  readonly pid: number;
  proxy(upstream: string, options: ProxyOptions): Promise<SlowProxy>;
  stop(): Promise<void>;
}

export async function startToxiproxy(): Promise<Toxiproxy> {
  const port = await freePort();
  const running = start(peer('toxiproxy-server'), ['-host', '127.0.0.1', '-port', String(port)], {
    env: { ...process.env, LOG_LEVEL: 'error' },
  });
  await waitForPort(port, running.exited);
  const api = `http://127.0.0.1:${port}`;
  let count = 0;

  async function proxy(upstream: string, options: ProxyOptions): Promise<SlowProxy> {
    const name = `proxy${count++}`;
    const created = await call('POST', `${api}/proxies`, {
      name,
      listen: '127.0.0.1:0',
      upstream,
      enabled: true,
    });
    const half = (options.roundTripMs ?? 0) / 2;
    if (half > 0) {
      for (const stream of ['upstream', 'downstream'])
        await addToxic(name, { type: 'latency', stream, attributes: { latency: half } });
    }
    const rates = { upstream: options.uploadKiBps, downstream: options.downloadKiBps };
    for (const [stream, rate] of Object.entries(rates))
      if (rate !== undefined) await addToxic(name, { type: 'bandwidth', stream, attributes: { rate } });
    return {
      address: (created as { listen: string }).listen,
      close: async () => {
        await call('DELETE', `${api}/proxies/${name}`);
      },
    };
  }

  const addToxic = (name: string, toxic: { type: string; stream: string; attributes: object }) =>
    call('POST', `${api}/proxies/${name}/toxics`, { name: `${toxic.type}_${toxic.stream}`, ...toxic });

  return {
    pid: running.pid,
    proxy,
    stop: async () => {
      await running.stop();
    },
  };
}

async function call(method: string, url: string, body?: object): Promise<unknown> {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`toxiproxy: ${method} ${url}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

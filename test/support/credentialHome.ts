/** A home of its own for files of credentials and helper programs, with an environment that leads to it. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Scratch, scratch } from './scratch.ts';

export interface CredentialHome {
  readonly path: string;
  /** Leads Docker's and Podman's files into this folder, and finds helpers here before anywhere else. */
  readonly environment: NodeJS.ProcessEnv;
  /** Docker's file. */
  readonly dockerFile: string;
  /** Podman's default file. */
  readonly podmanFile: string;
  write(path: string, content: unknown): Promise<void>;
  /** Makes `docker-credential-<name>` from the text of a shell script; `$1` is the action. */
  helper(name: string, script: string): Promise<void>;
  remove(): Promise<void>;
}

export async function credentialHome(): Promise<CredentialHome> {
  const folder: Scratch = await scratch('credentials');
  const { path } = folder;
  const bin = join(path, 'bin');
  await mkdir(bin);
  const environment: NodeJS.ProcessEnv = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: path,
    DOCKER_CONFIG: join(path, 'docker'),
    XDG_RUNTIME_DIR: join(path, 'run'),
    XDG_CONFIG_HOME: join(path, 'config'),
  };
  const write = async (file: string, content: unknown) => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  };
  return {
    path,
    environment,
    dockerFile: join(path, 'docker', 'config.json'),
    podmanFile: join(path, 'run', 'containers', 'auth.json'),
    write,
    helper: async (name, script) => {
      const file = join(bin, `docker-credential-${name}`);
      await write(file, `#!/bin/sh\n${script}\n`);
      await chmod(file, 0o755);
    },
    remove: folder.remove,
  };
}

/** `auth` of an entry. */
export function pair(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

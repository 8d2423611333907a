/** Registries as programs of their own, each with a fresh storage folder that goes when it stops. */
import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cliPath } from './cli.ts';
import { peer } from './peers.ts';
import { freePort, waitForPort } from './ports.ts';
import { type Running, start } from './processes.ts';
import { type Scratch, scratch } from './scratch.ts';

export interface RealRegistry {
  readonly name: string;
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly pid: number;
  /** Its storage. */
  readonly folder: string;
  /** Ends the program at once and keeps its storage. */
  halt(): Promise<void>;
  /** Starts it again after {@link halt}, at the same address. */
  restart(): Promise<void>;
  /** Ends the program and removes its storage. */
  stop(): Promise<void>;
}

export interface RegistryOptions {
  /** Where the storage folder is made; the system's temporary folder by default. */
  parent?: string;
  /** False: nothing can be deleted, as distribution starts by default. */
  deletion?: boolean;
  /** Writes what the registry is to find in its storage folder when it starts. */
  fill?: (storage: string) => void;
}

type Command = (folder: string, port: number) => Promise<[command: string, args: string[]]>;

/** Starts a registry in a folder of its own; `command` writes what it needs there, and says how it is started. */
export async function launch(
  name: string,
  options: RegistryOptions,
  command: Command,
): Promise<RealRegistry> {
  const home: Scratch = await scratch(`registry-${name}`, options.parent);
  try {
    const port = await freePort();
    const [program, args] = await command(home.path, port);
    options.fill?.(join(home.path, 'storage'));
    let running = await listening(program, args, port, home.path);
    return {
      name,
      address: `127.0.0.1:${port}`,
      get pid() {
        return running.pid;
      },
      folder: join(home.path, 'storage'),
      halt: async () => {
        running.signal('SIGKILL');
        await running.exited;
      },
      restart: async () => {
        running = await listening(program, args, port, home.path);
      },
      stop: async () => {
        await running.stop();
        await home.remove();
      },
    };
  } catch (error) {
    const log = await readFile(join(home.path, 'log'), 'utf8').catch(() => '');
    await home.remove();
    throw new Error(`${name} did not start:\n${log}`, { cause: error });
  }
}

async function listening(
  program: string,
  args: readonly string[],
  port: number,
  folder: string,
): Promise<Running> {
  const log = openSync(join(folder, 'log'), 'a');
  const running = start(program, args, { logTo: log });
  closeSync(log);
  await waitForPort(port, running.exited);
  return running;
}

async function distributionConfig(folder: string, port: number, deletion = true): Promise<string> {
  const path = join(folder, 'config.yml');
  await writeFile(
    path,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: ${join(folder, 'storage')} }
  delete: { enabled: ${deletion} }
http: { addr: "127.0.0.1:${port}" }
`,
  );
  return path;
}

/** Debian's docker-registry: distribution 2.8. */
export function startDockerRegistry(options: RegistryOptions = {}): Promise<RealRegistry> {
  return launch('docker-registry', options, async (folder, port) => [
    peer('docker-registry'),
    ['serve', await distributionConfig(folder, port, options.deletion)],
  ]);
}

function startDistribution3(options: RegistryOptions = {}): Promise<RealRegistry> {
  return launch('distribution3', options, async (folder, port) => [
    peer('registry3'),
    ['serve', await distributionConfig(folder, port, options.deletion)],
  ]);
}

function startZot(options: RegistryOptions = {}): Promise<RealRegistry> {
  return launch('zot', options, async (folder, port) => {
    const path = join(folder, 'config.json');
    const config = {
      distSpecVersion: '1.1.1',
      storage: { rootDirectory: join(folder, 'storage') },
      http: { address: '127.0.0.1', port: String(port) },
      log: { level: 'error', output: join(folder, 'zot.log') },
    };
    await writeFile(path, JSON.stringify(config));
    return [peer('zot'), ['serve', path]];
  });
}

/** The embedded registry in a process of its own, so that it competes for the processor as the others do. */
function startEmbedded(options: RegistryOptions = {}): Promise<RealRegistry> {
  return launch('embedded', options, async (folder, port) => [
    process.execPath,
    [
      ...[cliPath(), 'registry', 'serve', '--json', '--host', '127.0.0.1'],
      ...['--port', String(port), '--dir', join(folder, 'storage')],
    ],
  ]);
}

/** Every registry by name, with the peer that it needs. */
export const REGISTRIES = {
  embedded: { start: startEmbedded, peers: [] },
  'docker-registry': { start: startDockerRegistry, peers: ['docker-registry'] },
  distribution3: { start: startDistribution3, peers: ['registry3'] },
  zot: { start: startZot, peers: ['zot'] },
} as const satisfies Record<
  string,
  { start: (options?: RegistryOptions) => Promise<RealRegistry>; peers: readonly string[] }
>;

export type RegistryName = keyof typeof REGISTRIES;

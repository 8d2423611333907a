/**
 * The same job by others: restic into a REST server of rclone on this machine, encrypted, each store a repository of
 * its own. What both keep between runs lies in the scratch folder.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runOk } from '../../test/support/measured.ts';
import { hasPeer, peer } from '../../test/support/peers.ts';
import { freePort, waitForPort } from '../../test/support/ports.ts';
import { start } from '../../test/support/processes.ts';

export const RESTIC = 'restic, rclone';
const PROGRAMS = ['restic', 'rclone'];

export interface Restic {
  /** `127.0.0.1:port` of the server. */
  readonly address: string;
  create(store: string): Promise<void>;
  /** Each returns its seconds. */
  backup(store: string, address: string, folder: string): Promise<number>;
  restore(store: string, address: string, target: string): Promise<number>;
  check(store: string, address: string): Promise<number>;
  /** Removes the newest snapshot, and what only it held. */
  forget(store: string, address: string): Promise<number>;
  close(): Promise<void>;
}

/** Undefined, and said so, where one of the programs is not on this machine. */
export async function openRestic(home: string): Promise<Restic | undefined> {
  const missing = PROGRAMS.filter((name) => !hasPeer(name));
  if (missing.length > 0) {
    console.error(`skipped: restic, since ${missing.join(' and ')} is not on this machine`);
    return undefined;
  }
  const folder = join(home, 'restic');
  await mkdir(folder);
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const given = { HOME: folder, PATH: process.env.PATH, RCLONE_CONFIG: join(folder, 'rclone.conf') };
  const server = start(
    peer('rclone'),
    ['serve', 'restic', '--addr', address, '--log-level', 'ERROR', join(folder, 'stores')],
    { env: given },
  );
  await waitForPort(port, server.exited);
  const env = { ...given, RESTIC_PASSWORD: 'correct horse battery staple 42' };
  const run = async (store: string, at: string, ...args: string[]) => {
    const repository = `rest:http://${at}/${store}/`;
    return (await runOk(peer('restic'), ['-r', repository, '--quiet', ...args], { env, cwd: folder }))
      .seconds;
  };
  return {
    address,
    create: async (store) => {
      await run(store, address, 'init');
    },
    backup: (store, at, tree) => run(store, at, 'backup', tree),
    restore: (store, at, target) => run(store, at, 'restore', 'latest', '--target', target),
    // Plakar's check reads all data, too.
    check: (store, at) => run(store, at, 'check', '--read-data'),
    forget: (store, at) => run(store, at, 'forget', 'latest', '--prune'),
    close: async () => {
      await server.stop();
    },
  };
}

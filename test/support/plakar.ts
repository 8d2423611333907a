/** The real plakar in a home folder of its own, with the Go `oci` connector where a test asks for it. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Measured, runOk } from './measured.ts';
import { peer } from './peers.ts';
import { scratch } from './scratch.ts';

export interface Plakar {
  /** Runs any command, e.g. `run('at', store, 'ls')`. */
  run(...args: string[]): Promise<Measured>;
  create(store: string): Promise<void>;
  backup(store: string, folder: string): Promise<void>;
  /** The identifiers of the snapshots. */
  ls(store: string): Promise<string[]>;
  /** Restores the newest snapshot, or the one named, so that the folder holds what was backed up. */
  restore(store: string, folder: string, snapshot?: string): Promise<void>;
  check(store: string): Promise<void>;
  close(): Promise<void>;
}

export async function openPlakar(options: { goConnector?: boolean } = {}): Promise<Plakar> {
  const program = peer('plakar');
  const home = await scratch('plakar');
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: home.path,
    PLAKAR_PASSPHRASE: 'correct horse battery staple 42',
  };
  const run = (...args: string[]) => runOk(program, args, { env, cwd: home.path });
  const at = (store: string, ...args: string[]) => run('at', store, ...args);

  await run('-disable-security-check');
  if (options.goConnector) await run('pkg', 'add', peer('go-connector'));

  return {
    run,
    create: async (store) => {
      await at(store, 'create');
    },
    backup: async (store, folder) => {
      await at(store, 'backup', folder);
    },
    ls: async (store) => {
      const { stdout } = await at(store, 'ls');
      return [...stdout.matchAll(/^\S+Z\s+([0-9a-f]{8})\s/gm)].map((match) => match[1] as string);
    },
    restore: async (store, folder, snapshot) => {
      await mkdir(folder, { recursive: true });
      await at(store, 'restore', '-to', folder, ...(snapshot === undefined ? [] : [snapshot]));
    },
    check: async (store) => {
      await at(store, 'check');
    },
    close: async () => {
      await endBackgroundOf(home.path);
      await home.remove();
    },
  };
}

/**
 * Plakar leaves a cache process behind for a while, with the plugin of the last store. They are ours only when
 * their arguments name this home folder.
 */
async function endBackgroundOf(home: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const commandLine = await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '');
    if (!commandLine.split('\0').some((part) => part.startsWith(`${home}/`))) continue;
    try {
      process.kill(Number(pid), 'SIGTERM');
    } catch {
      // It ended between the look and the signal.
    }
  }
}

/** A plakar with a connector and a home of its own, whose commands may take long. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Measured, runOk } from '../../test/support/measured.ts';
import { peer } from '../../test/support/peers.ts';
import { scratch } from '../../test/support/scratch.ts';

const TIMEOUT_MS = 30 * 60_000;

export interface Host {
  /** Runs `plakar at STORE …`. */
  at(store: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Measured>;
  close(): Promise<void>;
}

/** @param connector the package file of the connector for `oci://` */
export async function openHost(connector: string): Promise<Host> {
  const program = peer('plakar');
  const home = await scratch('traces-home');
  const base = {
    PATH: process.env.PATH,
    HOME: home.path,
    PLAKAR_PASSPHRASE: 'traces of reads, nothing secret',
  };
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    runOk(program, args, { env: { ...base, ...env }, cwd: home.path, timeoutMs: TIMEOUT_MS });
  await run(['-disable-security-check']);
  await run(['pkg', 'add', connector]);
  return {
    at: (store, args, env) => run(['at', store, ...args], env),
    close: async () => {
      await endBackgroundOf(home.path);
      await home.remove();
    },
  };
}

/** Plakar leaves a cache process behind, with the plugin of the last store; both name this home. */
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

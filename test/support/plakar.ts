/** The real plakar in a home folder of its own, with the package of a connector where a test asks for it. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Measured, runMeasured, runOk } from './measured.ts';
import { peer } from './peers.ts';
import { type Running, start } from './processes.ts';
import { scratch } from './scratch.ts';
import { compareTrees } from './seededTree.ts';

/** How long a command may take that has to fail: whatever is wrong, nothing hangs. */
const FAILURE_BOUND_MS = 30_000;
/** Plakar's cache process ends 5 s after its last request, and the plugin of its store with it. */
const BACKGROUND_BOUND_MS = 20_000;

export interface Plakar {
  /** The scratch home folder. */
  readonly home: string;
  /** Runs any command that has to succeed, e.g. `run('at', store, 'ls')`. */
  run(...args: string[]): Promise<Measured>;
  /** Runs a command that may fail, within 30 s; a command that takes longer rejects. */
  attempt(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Measured>;
  /** Starts a command without waiting for its end. */
  start(...args: string[]): Running;
  /**
   * Makes a store, without encryption by default: deriving the key is 1.5 s of processor time in every later command,
   * and what travels to the connector is opaque either way.
   */
  create(store: string, options?: { encrypted?: boolean }): Promise<void>;
  backup(store: string, folder: string): Promise<void>;
  /** The identifiers of the snapshots, newest first. */
  ls(store: string): Promise<string[]>;
  /** Restores the newest snapshot, or the one named, so that the folder holds what was backed up. */
  restore(store: string, folder: string, snapshot?: string): Promise<void>;
  check(store: string): Promise<void>;
  rm(store: string, snapshot: string): Promise<void>;
  /**
   * Twice, without the days of grace: the first run marks unused packfiles, the second one deletes them.
   *
   * @param before what is done before each
   */
  maintenance(store: string, before?: () => Promise<void>): Promise<void>;
  /** Command lines of all processes with something of this home: plakar, its cache process, plugins. */
  processes(): Promise<string[]>;
  /** Resolves when no such process is left. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface PlakarOptions {
  /** The package file of the connector for `oci://`. */
  connector?: string;
  passphrase?: string;
  /** What the connector finds in its environment. */
  env?: Readonly<Record<string, string>>;
}

export async function openPlakar(options: PlakarOptions = {}): Promise<Plakar> {
  const { connector, passphrase = 'correct horse battery staple 42' } = options;
  const program = peer('plakar');
  const folder = await scratch('plakar');
  const home = folder.path;
  const given = { ...options.env, PATH: process.env.PATH, HOME: home };
  const env: NodeJS.ProcessEnv = { ...given, PLAKAR_PASSPHRASE: passphrase };
  const run = (...args: string[]) => runOk(program, args, { env, cwd: home });
  const at = (store: string, ...args: string[]) => run('at', store, ...args);

  await run('-disable-security-check');
  if (connector !== undefined) await run('pkg', 'add', connector);

  return {
    home,
    run,
    attempt: (args, more = {}) =>
      runMeasured(program, args, { env: { ...env, ...more }, cwd: home, timeoutMs: FAILURE_BOUND_MS }),
    start: (...args) => start(program, args, { env, cwd: home }),
    create: async (store, { encrypted = false } = {}) => {
      await at(store, 'create', ...(encrypted ? [] : ['-plaintext']));
    },
    backup: async (store, tree) => {
      await at(store, 'backup', tree);
    },
    ls: async (store) => {
      const { stdout } = await at(store, 'ls');
      return [...stdout.matchAll(/^\S+Z\s+([0-9a-f]{8})\s/gm)].map((match) => match[1] as string);
    },
    restore: async (store, target, snapshot) => {
      await mkdir(target, { recursive: true });
      await at(store, 'restore', '-to', target, ...(snapshot === undefined ? [] : [snapshot]));
    },
    check: async (store) => {
      await at(store, 'check');
    },
    rm: async (store, snapshot) => {
      await at(store, 'rm', '-apply', snapshot);
    },
    maintenance: async (store, before) => {
      const graceless = { env: { ...env, PLAKAR_GRACEPERIOD: '0s' }, cwd: home };
      for (let run = 0; run < 2; run++) {
        await before?.();
        await runOk(program, ['at', store, 'maintenance'], graceless);
      }
    },
    processes: async () => [...(await processesOf(home)).values()],
    idle: async () => {
      const deadline = Date.now() + BACKGROUND_BOUND_MS;
      for (let left = await processesOf(home); left.size > 0; left = await processesOf(home)) {
        if (Date.now() > deadline)
          throw new Error(`still running after ${BACKGROUND_BOUND_MS} ms:\n${[...left.values()].join('\n')}`);
        await delay(100);
      }
    },
    close: async () => {
      for (const pid of (await processesOf(home)).keys()) {
        try {
          process.kill(pid, 'SIGTERM');
        } catch {
          // It ended between the look and the signal.
        }
      }
      await folder.remove();
    },
  };
}

/**
 * The distinct messages of a connector in what plakar printed: from the code on. Plakar repeats them, with prefixes of
 * its own. A stack trace among them is a failure whatever the test is about.
 */
export function messagesOf({ stdout, stderr }: Measured): string[] {
  const lines = `${stdout}\n${stderr}`.split('\n');
  const trace = lines.find((line) => /^\s+at .+:\d+:\d+\)?$|^goroutine \d/.test(line));
  if (trace !== undefined) throw new Error(`a stack trace was printed:\n${stderr}`);
  return [...new Set(lines.flatMap((line) => line.match(/\[[A-Z]+_?[A-Z_]*\] .+/)?.[0] ?? []))];
}

/** The files, below the folder that was backed up, that a restore says it could not restore. */
export function failedPaths({ stderr }: Measured): string[] {
  return [...stderr.matchAll(/ KO ✘ \/(.+?): /g)].map((match) => match[1] as string);
}

/**
 * The differences between a tree and what a restore made of it that the restore did not report. Plakar 1.1.4 exits
 * with 0 after a restore with failures: its lines are the only sign.
 */
export async function unreportedDifferences(
  expected: string,
  restored: string,
  run: Measured,
): Promise<string[]> {
  const failed = new Set(failedPaths(run));
  const differences = await compareTrees(expected, restored);
  return differences.filter((line) => !failed.has(line.replace(/^[a-z]+: /, '')));
}

/** The plugins that a process of plakar has started for itself. */
export async function pluginsOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const stat = await readFile(join('/proc', name, 'stat'), 'latin1').catch(() => '');
    // Field 4, behind the name in brackets, is the parent.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    const commandLine = await readFile(join('/proc', name, 'cmdline'), 'utf8').catch(() => '');
    if (parent === pid && commandLine.includes('/plugins/')) found.push(Number(name));
  }
  return found;
}

/** Processes whose arguments name something in this home folder, by pid: those are ours and nobody else's. */
async function processesOf(home: string): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const commandLine = await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '');
    const parts = commandLine.split('\0');
    if (parts.some((part) => part.startsWith(`${home}/`))) found.set(Number(pid), parts.join(' ').trim());
  }
  return found;
}

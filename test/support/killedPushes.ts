/** A push that is killed again and again at random moments, each time started anew, until it is done. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FaultPlan, RunningRegistry } from '../../src/emulator/index.ts';

const CHILD = fileURLToPath(new URL('./pushChild.ts', import.meta.url));
const STEP_MS = 1;

export interface KilledPushesOptions {
  /** The host and port of a registry. */
  readonly address: string;
  /** Bytes of blobs that have arrived there; without it every push is killed at a random time. */
  readonly arrivedBytes?: () => number;
  /** A file, a folder, or `oci://…`. */
  readonly source: string;
  readonly sourceBytes: number;
  readonly repository: string;
  readonly folder: string;
  readonly kills: number;
  readonly seed: number;
  readonly chunkBytes?: number;
}

export interface KilledPushes {
  /** Pushes that were killed before they ended. */
  readonly killed: number;
  /** Journals that are left. */
  readonly journals: readonly string[];
  /** What the last push said of itself. */
  readonly result: { readonly bytes: number; readonly resumedBytes: number; readonly skipped: number };
}

/** Numbers between 0 and 1, the same for the same seed (Mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Kills each push once the registry has taken a random number of bytes of it, so chosen that so many pushes are killed
 * on the way; one in six is killed at a random time within 0.4 s instead, wherever it is then.
 */
export async function pushKilled(options: KilledPushesOptions): Promise<KilledPushes> {
  const { address, arrivedBytes, source, sourceBytes, repository, folder, kills, seed, chunkBytes } = options;
  const random = seededRandom(seed);
  const journals = join(folder, 'journals');
  const location = `oci://${address}/${repository}`;
  let killed = 0;
  for (;;) {
    const byTime = random() < 1 / 6 || arrivedBytes === undefined;
    const afterMs = random() * 400;
    const startedMs = performance.now();
    const before = arrivedBytes?.() ?? 0;
    // One that has nothing left to send would be killed at its first request, whose answer names a session that nobody
    // else knows.
    const mayKill = killed < kills && before < sourceBytes;
    // A quarter of its share of what is left: the signal takes its time, in which more arrives.
    const afterBytes = (random() * Math.max(0, sourceBytes - before)) / Math.max(1, kills - killed) / 2;
    const child = spawn(process.execPath, [CHILD, source, location, journals, String(chunkBytes ?? '')], {
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    const watch = setInterval(() => {
      const due = byTime
        ? performance.now() - startedMs >= afterMs
        : (arrivedBytes?.() ?? 0) - before > afterBytes;
      if (mayKill && due) child.kill('SIGKILL');
    }, STEP_MS);
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    clearInterval(watch);
    if (complaint !== '') throw new Error(`a push said: ${complaint}`);
    if (signal === 'SIGKILL') {
      killed++;
      continue;
    }
    if (code !== 0) throw new Error(`a push ended with ${code}: ${output}`);
    return {
      killed,
      journals: await readdir(journals),
      result: JSON.parse(output),
    };
  }
}

/** A registry some way off: on the loopback a push would be over before so many signals could reach it. */
export const FAR_AWAY: FaultPlan = {
  before: ({ method, route }) =>
    method === 'PATCH' && route === 'upload-session' ? { kind: 'hold', until: delay(30) } : undefined,
};

/** Bytes of blobs that have arrived, to see how far a push is: those of open sessions, and of requests that are over. */
export function arrivedBytesOf(registry: RunningRegistry): number {
  const sent = registry
    .requestLog()
    .filter(({ method, route }) => method === 'POST' && route === 'upload-start')
    .reduce((sum, { requestBytes }) => sum + requestBytes, 0);
  return registry.openSessions().reduce((sum, { bytes }) => sum + bytes, sent);
}

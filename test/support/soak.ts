/** A store as the plugin puts it together, under mixed load in a process of its own: what it said about itself. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { OptionName } from '../../src/store/storeSettings.ts';

/** As the plugin's launcher sets it, packaging/plakar/oci-storage. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1' };
const CHILD = fileURLToPath(new URL('./soakChild.ts', import.meta.url));

export interface SoakOptions {
  readonly location: string;
  readonly seconds: number;
  readonly seed: number;
  readonly sampleMs: number;
  /** Options of the store, as a user writes them. */
  readonly more: Partial<Record<OptionName, string>>;
}

/** Memory after a garbage collection, in bytes. */
export interface MemorySample {
  readonly heap: number;
  readonly rss: number;
}

/** An object that was acknowledged and not deleted. */
export interface SoakedObject {
  readonly type: 'packfile' | 'state';
  readonly mac: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface SoakReport {
  readonly samples: readonly MemorySample[];
  /** Operations that ended well, by name. */
  readonly operations: Readonly<Record<string, number>>;
  /** What operations failed with, and answers that were wrong. */
  readonly failures: readonly string[];
  /** What the store told its user. */
  readonly remarks: readonly string[];
  readonly objects: readonly SoakedObject[];
  readonly bytesPut: number;
  readonly bytesGot: number;
}

/**
 * Runs the load; rejects when the process ends in any other way than by itself, an unhandled rejection included.
 *
 * @param closed called when the store is closed and its process still there
 */
export async function soak(options: SoakOptions, closed: () => Promise<void>): Promise<SoakReport> {
  const child = fork(CHILD, [JSON.stringify(options)], {
    env: { ...process.env, ...ENVIRONMENT },
    execArgv: ['--expose-gc', '--unhandled-rejections=strict'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  try {
    let report: SoakReport | undefined;
    child.once('message', (message) => {
      report = message as SoakReport;
      void closed().then(() => child.disconnect(), kill);
    });
    const [code, signal] = await exited;
    if (code !== 0 || report === undefined || said !== '')
      throw new Error(`the load ended with ${code ?? signal}:\n${said}`);
    return report;
  } finally {
    process.off('exit', kill);
  }
}

/** The median of a quarter of the samples, from 0 on. */
export function quarterMedian(samples: readonly number[], quarter: 0 | 1 | 2 | 3): number {
  const size = samples.length / 4;
  const part = samples.slice(Math.floor(quarter * size), Math.floor((quarter + 1) * size));
  return part.sort((a, b) => a - b)[Math.floor(part.length / 2)] ?? Number.NaN;
}

/** The slope of the straight line through the samples, per sample (least squares). */
export function slopeOf(samples: readonly number[]): number {
  const middle = (samples.length - 1) / 2;
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  let above = 0;
  let below = 0;
  for (const [index, value] of samples.entries()) {
    above += (index - middle) * (value - mean);
    below += (index - middle) ** 2;
  }
  return above / below;
}

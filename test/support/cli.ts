/** The compiled command line, as a user runs it. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Measured, type MeasuredOptions, runOk } from './measured.ts';
import { type Running, start } from './processes.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The path of the compiled program; the benchmarks and tests measure that, not the type-stripped sources. */
export function cliPath(): string {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run \`npm run build\` first`);
  return MAIN;
}

/** Runs a command that has to succeed. */
export function klosetOci(args: readonly string[], options?: MeasuredOptions): Promise<Measured> {
  return runOk(process.execPath, [cliPath(), ...args], options);
}

/** Starts a command without waiting for its end. */
export function startKlosetOci(args: readonly string[]): Running {
  return start(process.execPath, [cliPath(), ...args]);
}

export interface Summary {
  event: 'summary';
  objects: number;
  skipped: number;
  mounted?: number;
  bytes: number;
  seconds: number;
  requests: Record<string, number>;
  retries: number;
  throttled: number;
  waitSeconds: Record<string, number>;
  hasher: string;
  uploadMode: string;
  peakRssBytes: number;
}

/** The last JSON line of push, pull and verify. */
export function summaryOf(stdout: string): Summary {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  const value: unknown = JSON.parse(last);
  if (typeof value !== 'object' || value === null || (value as Summary).event !== 'summary')
    throw new Error(`the last line is no summary: ${last}`);
  return value as Summary;
}

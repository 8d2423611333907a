/** The programs that push and pull beside each other, each as the commands that a user would type. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cliPath } from '../../../test/support/cli.ts';
import { peer } from '../../../test/support/peers.ts';
import type { Workload } from '../../push/workload.ts';
import { IMAGE_TOOLS } from './imageTools.ts';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

export interface Place {
  /** `host:port` */
  readonly address: string;
  readonly repository: string;
}

/** A program in a round; without a concurrency at its own default. */
export interface Contestant {
  readonly name: string;
  /** The peer that it is, where it is not ours. */
  readonly program?: string;
  readonly ours: boolean;
  /** One command after the other. */
  push(work: Workload, to: Place, concurrency?: number): readonly Command[];
  /** What makes it a place to pull from, after the push and off the clock. */
  complete?(work: Workload, at: Place): readonly Command[];
  /** Into an empty folder, what its own push has left. Absent where it has no command for that. */
  pull?(work: Workload, from: Place, folder: string, concurrency?: number): readonly Command[];
}

/** Files of one artifact of oras: one process per object would measure the starts of processes. */
const FILES_PER_ARTIFACT = 64;

const withConcurrency = (concurrency: number | undefined) =>
  concurrency === undefined ? [] : ['--concurrency', String(concurrency)];

function ours(name: string, ...options: string[]): Contestant {
  const command = (args: string[], cwd: string) => [
    { program: process.execPath, args: [cliPath(), ...args, '--json', ...options], cwd },
  ];
  const location = ({ address, repository }: Place) => `oci://${address}/${repository}`;
  return {
    name,
    ours: true,
    push: (work, to, concurrency) =>
      command(
        ['push', work.files, location(to), '--type', 'packfile', ...withConcurrency(concurrency)],
        work.files,
      ),
    // Packfiles alone are no store.
    complete: (work, at) =>
      command(['create', location(at), '--config', join(work.files, work.names[0] ?? '')], work.files),
    pull: (work, from, folder, concurrency) =>
      command(['pull', location(from), folder, ...withConcurrency(concurrency)], work.files),
  };
}

function groups(names: readonly string[]): (readonly string[])[] {
  return Array.from({ length: Math.ceil(names.length / FILES_PER_ARTIFACT) }, (_, i) =>
    names.slice(i * FILES_PER_ARTIFACT, (i + 1) * FILES_PER_ARTIFACT),
  );
}

const oras: Contestant = {
  name: 'oras',
  program: 'oras',
  ours: false,
  push: (work, { address, repository }, concurrency) =>
    groups(work.names).map((names, i) => ({
      program: peer('oras'),
      args: [
        ...['push', '--plain-http', '--no-tty', ...withConcurrency(concurrency)],
        ...[`${address}/${repository}:part${i}`, ...names],
      ],
      cwd: work.files,
    })),
  pull: (work, { address, repository }, folder, concurrency) =>
    groups(work.names).map((_, i) => ({
      program: peer('oras'),
      args: [
        ...['pull', '--plain-http', '--no-tty', ...withConcurrency(concurrency)],
        ...['--output', folder, `${address}/${repository}:part${i}`],
      ],
      cwd: work.files,
    })),
};

const mode = (hasher: string, upload: string) =>
  ours(`ours-${hasher}-${upload}`, '--hasher', hasher, '--upload-mode', upload);

export const CONTESTANTS: readonly Contestant[] = [
  ours('ours'),
  mode('native', 'monolithic'),
  mode('native', 'chunked'),
  mode('wasm', 'monolithic'),
  mode('wasm', 'chunked'),
  oras,
  ...IMAGE_TOOLS,
];

export function contestant(name: string): Contestant {
  const found = CONTESTANTS.find((one) => one.name === name);
  if (!found) throw new Error(`unknown contestant ${name}`);
  return found;
}

/** The files that a pull has left, wherever in the folder. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The programs that are compared, each as the command that a user would type. */
import { cliPath } from '../../test/support/cli.ts';
import { peer } from '../../test/support/peers.ts';
import type { Workload } from './workload.ts';

interface Command {
  program: string;
  args: string[];
  cwd: string;
}

export interface Contestant {
  readonly name: string;
  readonly ours: boolean;
  command(work: Workload, address: string, repository: string): Command;
}

function ours(name: string, ...options: string[]): Contestant {
  return {
    name,
    ours: true,
    command: (work, address, repository) => ({
      program: process.execPath,
      args: [
        ...[cliPath(), 'push', work.files, `oci://${address}/${repository}`],
        ...['--type', 'packfile', '--json', ...options],
      ],
      cwd: work.files,
    }),
  };
}

const mode = (hasher: string, upload: string) =>
  ours(`ours-${hasher}-${upload}`, '--hasher', hasher, '--upload-mode', upload);

export const CONTESTANTS: readonly Contestant[] = [
  ours('ours-auto'),
  mode('native', 'monolithic'),
  mode('native', 'chunked'),
  mode('wasm', 'monolithic'),
  mode('wasm', 'chunked'),
  {
    name: 'oras',
    ours: false,
    command: (work, address, repository) => ({
      program: peer('oras'),
      args: ['push', '--plain-http', '--no-tty', `${address}/${repository}:all`, ...work.names],
      cwd: work.files,
    }),
  },
  {
    name: 'crane',
    ours: false,
    command: (work, address, repository) => ({
      program: peer('crane'),
      args: ['push', work.layout, `${address}/${repository}:all`, '--insecure'],
      cwd: work.files,
    }),
  },
];

/** Real pipes between a plugin and its host, both in this process. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostPipes } from '../../src/plugin/transport.ts';

export interface PipePair {
  readonly plugin: HostPipes;
  readonly host: HostPipes;
}

/**
 * Pipes in both directions. Node gives out no descriptors of anonymous pipes, so these are FIFOs whose names are
 * removed at once: the same thing to the kernel, to `read` and `write`, and to libuv.
 */
export function hostPipes(): PipePair {
  const folder = mkdtempSync(join(tmpdir(), 'kloset-oci-pipes-'));
  try {
    const paths = [join(folder, 'up'), join(folder, 'down')] as const;
    execFileSync('mkfifo', paths);
    const [up, down] = paths.map(openBoth);
    if (up === undefined || down === undefined) throw new Error('no pipes');
    return {
      plugin: { inputFd: up.readFd, outputFd: down.writeFd },
      host: { inputFd: down.readFd, outputFd: up.writeFd },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function openBoth(path: string): { readFd: number; writeFd: number } {
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { readFd, writeFd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) };
  } catch (error) {
    closeSync(readFd);
    throw error;
  }
}

import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/**
 * The process that writes a journal. Its number alone would not do: numbers are used again, after a restart from the
 * start, and each container counts for itself. No part of it is a time of day.
 */
export interface Owner {
  /** Machine, by its name. */
  readonly host: string;
  /** What changes at each start of the system. */
  readonly boot: string;
  /** The space in which the process number counts. */
  readonly space: string;
  readonly pid: number;
  /** When the process started, in the system's ticks since its own start; 0 where the system does not tell. */
  readonly started: string;
}

const ENDED = 'ended';

/** Whether a process can still write to its journal; `unknown` where that cannot be seen from here. */
export type Liveness = 'alive' | 'dead' | 'unknown';

/** This process, or another one of this machine. */
export async function readOwner(pid = process.pid): Promise<Owner> {
  const [boot, space, started] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
    startOf(pid),
  ]);
  const short = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8);
  return {
    host: short(hostname()),
    boot: short(boot),
    space: short(space),
    pid,
    started: started ?? '0',
  };
}

/** `host-boot-space-pid-start`, for file names. */
export function formatOwner({ host, boot, space, pid, started }: Owner): string {
  return `${host}-${boot}-${space}-${pid}-${started}`;
}

export function parseOwner(text: string): Owner | undefined {
  const match = /^([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{8})-(\d{1,10})-(\d{1,20})$/.exec(text);
  if (!match) return undefined;
  const [, host = '', boot = '', space = '', pid = '', started = ''] = match;
  return { host, boot, space, pid: Number(pid), started };
}

/** Whether the owner of a journal lives, as far as this process can see. */
export async function livenessOf(owner: Owner, self: Owner): Promise<Liveness> {
  if (owner.host !== self.host) return 'unknown';
  // The machine was started anew since.
  if (owner.boot !== self.boot) return 'dead';
  // A container with a state folder that it shares.
  if (owner.space !== self.space) return 'unknown';
  const started = await startOf(owner.pid);
  if (started !== undefined) return started === owner.started ? 'alive' : 'dead';
  return isRunning(owner.pid) ? 'alive' : 'dead';
}

/** Fields 3 and 22 of `/proc/PID/stat` (proc_pid_stat(5)); the name in field 2 may hold blanks and brackets. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A killed process stays in the table until its parent has asked for it, which some never do.
  return fields[0] === 'Z' || fields[0] === 'X' ? ENDED : fields[19];
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

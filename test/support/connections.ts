/** TCP connections of this machine, as the kernel lists them. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_MS = 20;
/** Of a socket that no process has any more: what it has not sent yet is the kernel's to deliver. */
const NOBODY = '0';

/**
 * Connections to a port of this machine that a client still has. Those of the server would not do: one that has stopped
 * reading does not see that its client is gone.
 */
async function connectionsTo(port: number): Promise<number> {
  const lines = (await readFile('/proc/net/tcp', 'latin1')).split('\n').slice(1);
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote, , , , , , , inode = NOBODY]) => remote?.endsWith(wanted) && inode !== NOBODY)
    .length;
}

/** The connections that are left; none as soon as there are none, or after the time. */
export async function connectionsLeft(port: number, timeoutMs: number): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = await connectionsTo(port);
    if (left === 0 || performance.now() > deadline) return left;
    await delay(LOOK_MS);
  }
}

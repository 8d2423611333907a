/** How far a program is, by what it has written to files and sockets. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_MS = 20;
const DEADLINE_MS = 60_000;

/** Resolves once a process has written so many more bytes; rejects when it has not after a minute, or is gone. */
export async function wroteMore(pid: number, bytes: number): Promise<void> {
  const start = await writtenBytes(pid);
  const deadline = performance.now() + DEADLINE_MS;
  while ((await writtenBytes(pid)) - start < bytes) {
    if (performance.now() > deadline) throw new Error(`process ${pid} did not write ${bytes} bytes`);
    await delay(LOOK_MS);
  }
}

async function writtenBytes(pid: number): Promise<number> {
  const io = await readFile(`/proc/${pid}/io`, 'utf8');
  return Number(/^wchar: (\d+)$/m.exec(io)?.[1]);
}

/** The processor time that a running program has used so far. */
import { readFile } from 'node:fs/promises';

/** The kernel counts in ticks of 1/100 s towards user space on every Linux architecture. */
const TICKS_PER_SECOND = 100;

export async function cpuSecondsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The program's name stands in brackets and may hold anything, so count from behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

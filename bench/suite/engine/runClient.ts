import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ClientJob, ClientReport } from './client.ts';

const run = promisify(execFile);
const CLIENT = fileURLToPath(new URL('client.ts', import.meta.url));
const LIMIT_MS = 280_000;

/** Runs `client.ts`; with KLOSET_OCI_CPU_PROF a profile of each of its processes goes into that folder. */
export async function runClient(job: ClientJob): Promise<ClientReport> {
  const folder = process.env.KLOSET_OCI_CPU_PROF;
  const profile = folder ? ['--cpu-prof', '--cpu-prof-dir', folder] : [];
  const args = [...profile, CLIENT, JSON.stringify(job)];
  const { stdout } = await run(process.execPath, args, { timeout: LIMIT_MS });
  return JSON.parse(stdout) as ClientReport;
}

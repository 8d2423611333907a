/** What a run has to say of the machine and the programs, so that its figures can be read later. */
import { execFile } from 'node:child_process';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { peer } from '../../test/support/peers.ts';
import { storageParent } from '../storage.ts';
import type { Machine, SuiteFile } from './schema.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');

/** How each peer says its version. */
const ASK: Record<string, readonly string[]> = {
  oras: ['version'],
  crane: ['version'],
  regctl: ['version', '--format', '{{.VCSTag}}'],
  skopeo: ['--version'],
  restic: ['version'],
  rclone: ['--version'],
  plakar: ['version'],
  'docker-registry': ['--version'],
  registry3: ['--version'],
  'toxiproxy-server': ['-version'],
};
const VERSION = /v?\d+\.\d+(?:\.\d+)?(?:[-+.][\w.]+)?/;

async function machine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    platform: `${platform()} ${release()}`,
    storage: (await storageParent()) === '/dev/shm' ? 'memory' : 'disk',
    loadAverage: loadavg()[0] ?? 0,
  };
}

/** Peers that are not there took no part, and have no version. */
async function versions(): Promise<Record<string, string>> {
  const found: Record<string, string> = { node: process.version };
  for (const [name, args] of Object.entries(ASK)) {
    try {
      const { stdout, stderr } = await run(peer(name), args);
      const version = VERSION.exec(stdout)?.[0] ?? VERSION.exec(stderr)?.[0];
      if (version) found[name] = version;
    } catch {
      // Not there, or it does not say.
    }
  }
  return found;
}

async function git(): Promise<SuiteFile['git']> {
  try {
    const [head, status] = await Promise.all([
      run('git', ['rev-parse', 'HEAD'], { cwd: ROOT }),
      run('git', ['status', '--porcelain', '--', 'src', 'bench', 'package-lock.json'], { cwd: ROOT }),
    ]);
    return { commit: head.stdout.trim(), dirty: status.stdout.trim() !== '' };
  } catch {
    // An unpacked archive.
    return { commit: 'unknown', dirty: false };
  }
}

export async function environment(): Promise<Omit<SuiteFile, 'schema' | 'results'>> {
  const date = new Date().toISOString();
  return { machine: await machine(), versions: await versions(), git: await git(), date };
}

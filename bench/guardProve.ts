/**
 * Proves that the guard bites: `npm run bench:guard:prove` makes each regression of guard/mutations.ts in a copy of the
 * product, and fails where the guard stays green. `--only WORDS` takes the mutations whose name contains them,
 * `--clean N` runs the guard N times on the product as it is, which has to stay green.
 */
import { execFile } from 'node:child_process';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { scratch } from '../test/support/scratch.ts';
import { MUTATIONS, type Mutation } from './guard/mutations.ts';

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, clean: { type: 'string', default: '1' } },
});
const ROOT = resolve(import.meta.dirname, '..');
const COPIED = ['src', 'bench', 'test/support', 'package.json', 'tsconfig.json'];

/** The lines of a run of the guard in a copy of the product. */
function guard(root: string, args: readonly string[]): Promise<{ green: boolean; lines: string[] }> {
  return new Promise((done) => {
    const command = [join(root, 'bench', 'guard.ts'), ...args];
    execFile(process.execPath, command, { cwd: root }, (error, stdout) => {
      done({ green: error === null, lines: stdout.trim().split('\n') });
    });
  });
}

async function mutate(root: string, mutation: Mutation): Promise<() => Promise<void>> {
  const path = join(root, mutation.file);
  const text = await readFile(path, 'utf8');
  const places = text.split(mutation.from).length - 1;
  if (places !== 1) throw new Error(`${mutation.file} has the text of "${mutation.name}" ${places} times`);
  await writeFile(
    path,
    text.replace(mutation.from, () => mutation.to),
  );
  return () => writeFile(path, text);
}

const home = await scratch('guard-proof');
let passed = 0;
let failed = 0;
const verdict = (ok: boolean, text: string) => {
  if (ok) passed++;
  else failed++;
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${text}\n`);
};

try {
  for (const path of COPIED) await cp(join(ROOT, path), join(home.path, path), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(home.path, 'node_modules'));
  for (let run = 1; run <= Number(values.clean); run++) {
    const { green, lines } = await guard(home.path, []);
    const red = lines.filter((line) => line.startsWith('FAILED'));
    verdict(green, `unchanged, run ${run}: ${green ? 'green' : red.join('; ')}`);
  }
  for (const mutation of MUTATIONS.filter(({ name }) => name.includes(values.only))) {
    const restore = await mutate(home.path, mutation).catch((error: Error) => {
      verdict(false, error.message);
      return undefined;
    });
    if (!restore) continue;
    const { lines } = await guard(home.path, ['--only', mutation.scenario]);
    // A scenario that cannot run any more has noticed nothing: a figure has to be out of its budget.
    const red = lines.filter((line) => line.startsWith('FAILED') && !line.includes(', ran:'));
    verdict(red.length > 0, `${mutation.name}: ${red[0]?.replace('FAILED ', '') ?? lines.join('; ')}`);
    await restore();
  }
} finally {
  await home.remove();
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

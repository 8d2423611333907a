// Compiles src/ to dist/, the command line as a bundle. Skipped when nothing changed, so that `npm start` costs nothing the second time.
import { spawnSync } from 'node:child_process';
import { chmodSync, globSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const inputs = [
  ...[...globSync('src/**/*.ts'), ...globSync('scripts/*.mjs')],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
].sort();
const fingerprint = JSON.stringify(inputs.map((path) => [path, statSync(path).mtimeMs, statSync(path).size]));
const stampFile = 'dist/.inputs.json';
const staging = `.cache/dist-${process.pid}`;
const previous = (() => {
  try {
    return readFileSync(stampFile, 'utf8');
  } catch {
    return '';
  }
})();

if (previous !== fingerprint) {
  const done = spawnSync('tsc', ['-p', 'tsconfig.build.json', '--outDir', staging], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (done.status !== 0) process.exit(done.status ?? 1);
  rmSync(`${staging}/cli`, { recursive: true });
  // Loaded here: it is there only once the dependencies are installed.
  const { bundle } = await import('./bundle.mjs');
  await bundle('src/cli/main.ts', `${staging}/cli`);
  chmodSync(`${staging}/cli/main.js`, 0o755);
  writeFileSync(`${staging}/.inputs.json`, fingerprint);
  // Swapped in whole: a program that runs meanwhile must not find half a dist.
  rmSync('dist', { recursive: true, force: true });
  renameSync(staging, 'dist');
}

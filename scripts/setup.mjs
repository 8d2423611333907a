// Set-up for `npm start` and `npm test` in a fresh clone. Plain JavaScript, because it runs on whatever Node the
// machine has, before the project's own Node 24 (the development dependency `node`) is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modifiedMs = (path) => (existsSync(`${root}${path}`) ? statSync(`${root}${path}`).mtimeMs : 0);
const run = (command, args) => {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (done.status !== 0) {
    process.stderr.write(`set-up failed: ${command} ${args.join(' ')}\n`);
    process.exit(done.status ?? 1);
  }
};

// npm touches this file at the end of each install: older than the lock file means "not installed as locked".
if (modifiedMs('node_modules/.package-lock.json') < modifiedMs('package-lock.json')) {
  process.stderr.write('set-up: installing the dependencies (npm ci)\n');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}
// Through npm, which puts the project's own Node first on PATH.
run('npm', ['run', '--silent', 'build']);

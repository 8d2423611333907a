/**
 * What the parts of a push or a pull cost when nothing else is done, in processor seconds per GiB: the floor of
 * docs/performance.md. `npm run bench:floors`. Each part runs in a process of its own, and whole commands beside them; what
 * the other end of a connection costs is left out, since it is another process.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { scratch } from '../test/support/scratch.ts';
import { PARTS, type PartName } from './floors/parts.ts';
import { readFlags } from './suite/flags.ts';
import { rotated } from './suite/rotated.ts';
import { median } from './suite/statistics.ts';

const run = promisify(execFile);
const RUNNER = fileURLToPath(new URL('./floors/runPart.ts', import.meta.url));

const values = readFlags('What the parts of a push or a pull cost on their own.', {
  rounds: { type: 'string', default: '5', means: 'runs of each, in turns' },
});

const folder = await scratch('floors');
const seconds = new Map<PartName, number[]>();
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name] of rotated(Object.entries(PARTS), round) as [PartName, string][]) {
      const { stdout } = await run(process.execPath, [RUNNER, name, folder.path]);
      seconds.set(name, [...(seconds.get(name) ?? []), Number(stdout)]);
    }
  }
} finally {
  await folder.remove();
}

console.log('| part | CPU s/GiB | spread |\n| --- | ---: | ---: |');
for (const [name, what] of Object.entries(PARTS) as [PartName, string][]) {
  const runs = seconds.get(name) ?? [];
  const [least, most] = [Math.min(...runs), Math.max(...runs)];
  console.log(`| ${what} | ${median(runs).toFixed(2)} | ${least.toFixed(2)}–${most.toFixed(2)} |`);
}

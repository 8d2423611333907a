/**
 * Fails when the product got slower or hungrier: `npm run bench:guard`. It compares counts, and ratios within one run,
 * with the budgets of guard/budgets.ts; no figure depends on how fast the machine is. `--only NAME` runs one scenario,
 * `--json FILE` keeps the figures.
 */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { startRegistry } from '../src/emulator/index.ts';
import { scratch } from '../test/support/scratch.ts';
import { BUDGETS, type ScenarioName } from './guard/budgets.ts';
import { judge, type Verdict } from './guard/judge.ts';
import type { Figures } from './guard/scenario.ts';
import { storageParent } from './storage.ts';

const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'string' } } });
const SCENARIO_LIMIT_MS = 120_000;
const run = promisify(execFile);
const here = (path: string) => join(import.meta.dirname, 'guard', path);

async function figuresOf(name: ScenarioName): Promise<Figures> {
  const registry = await startRegistry();
  const home = await scratch('guard', await storageParent());
  try {
    const folder = join(home.path, name);
    await mkdir(folder);
    const counted = name === 'processorTime' || name === 'memory' ? [] : ['--import', here('counters.ts')];
    const args = [...counted, here('runScenario.ts'), name, registry.address, folder];
    const { stdout } = await run(process.execPath, args, { timeout: SCENARIO_LIMIT_MS });
    return JSON.parse(stdout) as Figures;
  } finally {
    await registry.close();
    await home.remove();
  }
}

const names = (Object.keys(BUDGETS) as ScenarioName[]).filter((name) => !values.only || name === values.only);
if (names.length === 0) throw new Error(`there is no scenario ${values.only}`);
const verdicts: Verdict[] = [];
for (const name of names) {
  const found = await figuresOf(name).then(
    (figures) => judge(name, figures),
    (error: Error) => [{ scenario: name, figure: 'ran', ok: false, text: error.message }],
  );
  for (const verdict of found) {
    process.stdout.write(
      `${verdict.ok ? 'ok    ' : 'FAILED'} ${verdict.scenario}, ${verdict.figure}: ${verdict.text}\n`,
    );
  }
  verdicts.push(...found);
}
if (values.json) await writeFile(values.json, `${JSON.stringify(verdicts, null, 2)}\n`);
const failed = verdicts.filter(({ ok }) => !ok).length;
process.stdout.write(`${verdicts.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

/**
 * All benchmarks as one suite with one file of results:
 * `npm run bench -- --suite micro|engine|plugin|whole|all [--quick] [--json FILE] [flags of the part]`.
 *
 * Flags that are not known here go to the part: see engine.ts, plugin.ts and plakar.ts for theirs.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { scratch } from '../test/support/scratch.ts';
import { Collector } from './suite/collector.ts';
import { readSuiteFile } from './suite/schema.ts';

/** The parts, each a program of its own, with what makes it short. */
const PARTS: Record<string, { readonly file: string; readonly quick: readonly string[] }> = {
  micro: { file: 'micro.ts', quick: ['--quick'] },
  engine: { file: 'engine.ts', quick: ['--quick'] },
  plugin: { file: 'plugin.ts', quick: ['--rounds', '1'] },
  whole: { file: 'plakar.ts', quick: ['--rounds', '1', '--trees', '86'] },
};

const { values, tokens } = parseArgs({
  strict: false,
  tokens: true,
  options: {
    suite: { type: 'string', default: 'micro' },
    quick: { type: 'boolean' },
    json: { type: 'string' },
  },
});
const wanted = values.suite === 'all' ? Object.keys(PARTS) : String(values.suite).split(',');
for (const name of wanted) if (!(name in PARTS)) throw new Error(`there is no suite ${name}`);
const known = new Set(['suite', 'quick', 'json']);
const rest = tokens.flatMap((token) => {
  if (token.kind === 'positional') return [token.value];
  if (token.kind !== 'option' || known.has(token.name)) return [];
  return token.value === undefined ? [token.rawName] : [`${token.rawName}=${token.value}`];
});
if (rest.length > 0 && wanted.length > 1)
  throw new Error('flags of a part need --suite with that part alone');

const day = new Date().toISOString().slice(0, 10);
const file = values.json
  ? String(values.json)
  : join(import.meta.dirname, 'results', `${values.suite}-${day}.json`);
const home = await scratch('bench-suite');
const collector = new Collector(file);
try {
  for (const name of wanted) {
    const part = PARTS[name];
    if (!part) continue;
    const output = join(home.path, `${name}.json`);
    const args = [
      join(import.meta.dirname, part.file),
      ...['--json', output, ...(values.quick ? part.quick : []), ...rest],
    ];
    const code = await new Promise<number | null>((resolve, reject) => {
      spawn(process.execPath, args, { stdio: 'inherit' }).once('error', reject).once('close', resolve);
    });
    const text = await readFile(output, 'utf8').catch(() => undefined);
    // What a part had found out before it failed is worth keeping.
    if (text !== undefined) collector.addResults(readSuiteFile(text, name).results);
    await collector.save();
    if (code !== 0) throw new Error(`the suite ${name} ended with ${code}`);
  }
  console.error(`results: ${file}`);
} finally {
  await home.remove();
}

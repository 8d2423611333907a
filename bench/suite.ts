/**
 * All benchmarks as one suite with one file of results: `npm run bench -- --help`. Flags that are not known here go to
 * the part.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { scratch } from '../test/support/scratch.ts';
import { Collector } from './suite/collector.ts';
import { flagLines } from './suite/flags.ts';
import { readSuiteFile } from './suite/schema.ts';

interface Part {
  readonly file: string;
  readonly means: string;
  /** What makes it short. */
  readonly quick: readonly string[];
}

/** The parts, each a program of its own. */
const PARTS: Record<string, Part> = {
  micro: { file: 'micro.ts', means: 'hashing, slabs, plans, parsers, block cache', quick: ['--quick'] },
  engine: { file: 'engine.ts', means: 'push, pull, list, delete beside other programs', quick: ['--quick'] },
  plugin: {
    file: 'plugin.ts',
    means: "the plugin's pipes under a host on grpc-go",
    quick: ['--rounds', '1'],
  },
  whole: {
    file: 'plakar.ts',
    means: 'plakar on a directory, the Go connector and ours, beside restic',
    quick: ['--rounds', '1', '--trees', '86'],
  },
};

const FLAGS = {
  suite: { type: 'string', default: 'micro', means: 'the parts to run, or all' },
  quick: { type: 'boolean', means: 'one round, and less of it' },
  json: { type: 'string', means: 'where the results go (bench/results/SUITE-DATE.json)' },
  help: { type: 'boolean', means: 'this text, and that of a part which --suite names' },
} as const;

const { values, tokens } = parseArgs({ strict: false, tokens: true, options: FLAGS });
const wanted = values.suite === 'all' ? Object.keys(PARTS) : String(values.suite).split(',');
for (const name of wanted)
  if (!(name in PARTS)) throw new Error(`there is no suite ${name}: ${Object.keys(PARTS).join(', ')}`);
if (values.help) {
  const parts = Object.entries(PARTS).map(([name, { means }]) => `  ${name.padEnd(8)}${means}`);
  console.log(`npm run bench -- [flags] [flags of a part]\n\nParts:\n${parts.join('\n')}\n\nFlags:`);
  console.log(`${flagLines(FLAGS)}\n\nPrograms of others are looked for on PATH and in KLOSET_OCI_PEERS.`);
  const named = tokens.some((token) => token.kind === 'option' && token.name === 'suite');
  for (const name of named ? wanted : []) {
    console.log(`\n${name}`);
    await runPart(PARTS[name] as Part, ['--help']);
  }
  process.exit(0);
}
const known = new Set(Object.keys(FLAGS));
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
    const code = await runPart(part, ['--json', output, ...(values.quick ? part.quick : []), ...rest]);
    const text = await readFile(output, 'utf8').catch(() => undefined);
    // What a part had found out before it failed is worth keeping.
    if (text !== undefined) collector.addResults(readSuiteFile(text, name).results);
    await collector.save();
    if (code === 0) continue;
    console.error(`the suite ${name} ended with ${code}`);
    process.exitCode = 1;
    break;
  }
  console.error(`results: ${file}`);
} finally {
  await home.remove();
}

function runPart({ file }: Part, args: readonly string[]): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], { stdio: 'inherit' });
    // The part is told to end, and what it has found out by then is kept.
    const end = () => child.kill('SIGTERM');
    process.once('SIGTERM', end);
    child.once('error', reject).once('close', (code) => {
      process.off('SIGTERM', end);
      resolve(code);
    });
  });
}

/**
 * Records the figures that README and docs/benchmarks.md show, and writes them there: `npm run bench:record`. Takes
 * half an hour at most: each step has its share of them, and keeps what it has found out by then.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scratch } from '../test/support/scratch.ts';
import { keptFile, readKept } from './report/kept.ts';
import { writeDocs } from './report/writeDocs.ts';
import { readFlags } from './suite/flags.ts';
import { type Result, readSuiteFile, type SuiteFile, situationKey } from './suite/schema.ts';

const values = readFlags('Records the figures of README and docs/benchmarks.md, and writes them there.', {
  minutes: { type: 'string', default: '30', means: 'after which nothing runs any more' },
  rounds: { type: 'string', default: '3', means: 'runs of what the registries are compared by' },
  'no-docs': { type: 'boolean', default: false, means: 'only records' },
});

interface Step {
  readonly name: string;
  /** How much of half an hour it may take, beside what the steps before it have left. */
  readonly minutes: number;
  readonly args: readonly string[];
}

const engine = (tasks: string, ...args: string[]) => ['--suite', 'engine', '--tasks', tasks, ...args];
/** The one registry of all steps that need no more than one, since it takes the least of the processor for itself. */
const ONE = ['--registries', 'distribution3'];
/** With their peak above that of a plugin that only answers. */
const MEMORY_TASKS = [
  'plugin memory, idle',
  'plugin memory, restore',
  'plugin memory, backup',
  'plugin memory, check',
];
const OTHERS = ['embedded', 'docker-registry', 'zot'];

const STEPS: readonly Step[] = [
  ...OTHERS.map((registry) => ({
    name: `on ${registry}`,
    minutes: 1.2,
    args: engine(
      'push,pull',
      ...['--registries', registry, '--peers', 'oras,crane', '--rounds', values.rounds],
    ),
  })),
  {
    name: 'beside four programs',
    minutes: 1.9,
    args: engine('push,pull', ...ONE, '--rounds', values.rounds),
  },
  {
    name: 'round trips',
    minutes: 1.7,
    args: engine('push,pull', ...ONE, '--peers', 'oras', '--round-trips', '10,50,150', '--rounds', '2'),
  },
  {
    name: 'narrow connections',
    minutes: 1,
    args: engine(
      'push,pull',
      ...[...ONE, '--peers', 'oras', '--round-trips', '50', '--bandwidths', '20', '--rounds', '2'],
    ),
  },
  {
    name: 'whole runs of plakar',
    minutes: 2,
    args: [
      ...['--suite', 'whole', '--trees', '86', '--contestants', 'directory,ours', '--rounds', '2'],
      ...['--tasks', 'restore;restore, slow;backup;backup, slow;check'],
    ],
  },
  {
    name: 'large runs of plakar',
    minutes: 3,
    args: [
      ...['--suite', 'whole', '--trees', '531', '--contestants', 'directory,ours', '--rounds', '2'],
      ...['--tasks', 'restore;backup;check;requests of a restore'],
    ],
  },
  {
    name: 'memory of the plugin',
    minutes: 1.2,
    args: [
      ...['--suite', 'whole', '--trees', '531', '--contestants', 'ours'],
      ...['--tasks', MEMORY_TASKS.join(';')],
    ],
  },
  {
    name: 'the Go connector',
    minutes: 2.5,
    args: [
      ...['--suite', 'whole', '--trees', '86', '--contestants', 'go,ours', '--rounds', '1'],
      ...['--tasks', 'restore;restore, slow'],
    ],
  },
  {
    name: 'sizes',
    minutes: 2,
    args: engine('sizes', ...ONE, '--sizes', '0.0625,1,64', '--rounds', '3'),
  },
  {
    name: 'small objects',
    minutes: 1.5,
    args: engine(
      'small',
      ...['--registries', 'embedded,docker-registry,distribution3', '--peers', 'oras', '--rounds', '3'],
    ),
  },
  {
    name: 'small objects far away',
    minutes: 1.5,
    args: engine('small', ...ONE, '--peers', 'oras', '--round-trips', '50', '--rounds', '1'),
  },
  { name: 'micro', minutes: 0.5, args: ['--suite', 'micro', '--quick'] },
  { name: 'listing', minutes: 0.3, args: engine('list', '--stores', '1000,100000', '--rounds', '5') },
  {
    name: 'stores that grow',
    minutes: 1.5,
    args: engine('scaling', '--registries', 'embedded', '--stores', '1000,10000,100000', '--rounds', '5'),
  },
  {
    name: 'stores that grow in other registries',
    minutes: 2,
    args: engine(
      'scaling',
      ...['--registries', 'distribution3,docker-registry,zot', '--stores', '100,1000'],
      ...['--operations', '100', '--rounds', '1'],
    ),
  },
  {
    name: 'objects at once',
    minutes: 0.3,
    args: engine('concurrency', ...ONE, '--quick', '--round-trips', '50', '--concurrencies', '1,4,16'),
  },
];

const ALL_MINUTES = STEPS.reduce((sum, { minutes }) => sum + minutes, 0);
const scale = Number(values.minutes) / ALL_MINUTES;
let endMs = performance.now();

/** Runs a step as far as its time allows, and returns what it has found out. */
async function runStep({ name, minutes, args }: Step, output: string): Promise<SuiteFile | undefined> {
  endMs += minutes * scale * 60_000;
  const program = [join(import.meta.dirname, 'suite.ts'), ...args, '--json', output];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'ignore', 'inherit'] });
  let cut = false;
  const timer = setTimeout(() => {
    cut = true;
    console.error(`cut short: ${name}, since its time is over`);
    child.kill('SIGTERM');
  }, endMs - performance.now());
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  clearTimeout(timer);
  const text = await readFile(output, 'utf8').catch(() => undefined);
  if (code !== 0 && !cut) throw new Error(`${name} ended with ${code}`);
  return text === undefined ? undefined : readSuiteFile(text, name);
}

const home = await scratch('record');
const files: SuiteFile[] = [];
try {
  for (const [at, step] of STEPS.entries()) {
    const file = await runStep(step, join(home.path, `${at}.json`));
    if (file) files.push(file);
  }
} finally {
  await home.remove();
}
const [first] = files;
if (!first) throw new Error('nothing was recorded');
const results = new Map<string, Result>();
for (const one of files.flatMap((file) => file.results))
  results.set(`${situationKey(one, true)} ${one.unit}`, one);
const recorded: SuiteFile = { ...first, results: [...results.values()] };
const path = keptFile(recorded);
await mkdir(join(path, '..'), { recursive: true });
await writeFile(path, shortened(recorded));
console.error(`${path}: ${results.size} figures`);
if (!values['no-docs']) await writeDocs(await readKept());

/** Four digits are more than the spread of any of them allows. */
function shortened(file: SuiteFile): string {
  const digits = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
  const { results: all, ...head } = file;
  const lines = all.map((one) => JSON.stringify(one, digits)).join(',\n');
  return `${JSON.stringify(head, digits).slice(0, -1)},"results":[\n${lines}\n]}\n`;
}

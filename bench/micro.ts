/** Micro-benchmarks: `npm run bench:micro -- --help`. */
import { measureBlockCache } from './micro/blockCache.ts';
import { measureHashing, measureSlabs } from './micro/hashing.ts';
import { measurePure } from './micro/pure.ts';
import { Collector } from './suite/collector.ts';
import { readFlags } from './suite/flags.ts';
import { resultsTable } from './suite/markdown.ts';

const { quick, json } = readFlags('Hashing, memory, plans, parsers, flow control and the block cache.', {
  quick: { type: 'boolean', default: false, means: 'a tenth of the time, fewer lanes and traces' },
  json: { type: 'string', means: 'where the results go' },
});
const collector = new Collector(json);
const run = { collector, quick, samples: quick ? 3 : 5, timeMs: quick ? 50 : 400 };
await measureHashing(run);
await measureSlabs(run);
await measurePure(run);
await measureBlockCache(run);
process.stdout.write(resultsTable(collector.results()));
await collector.save();

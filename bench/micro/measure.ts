import { Bench } from 'tinybench';
import type { Collector } from '../suite/collector.ts';

export interface MicroRun {
  readonly collector: Collector;
  /** Samples of each figure: each is the median of a benchmark of its own, so that their spread says something. */
  readonly samples: number;
  /** Of each benchmark, in milliseconds. */
  readonly timeMs: number;
  /** Whether only a part of all lanes and traces is of interest. */
  readonly quick: boolean;
}

/** Calls of a benchmark that takes longer than its time. */
const LEAST = 5;

/** The medians of several benchmarks of the same thing, in milliseconds per call. */
export async function medianMs({ samples, timeMs }: MicroRun, call: () => unknown): Promise<number[]> {
  const medians: number[] = [];
  for (let i = 0; i < samples; i++) {
    const bench = new Bench({ time: timeMs, warmupTime: 20, iterations: LEAST, warmupIterations: 2 });
    bench.add('one', call as () => void);
    await bench.run();
    const result = bench.tasks[0]?.result;
    if (!result || !('latency' in result)) throw new Error('the benchmark has no result');
    medians.push(result.latency.p50);
  }
  return medians;
}

import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { environment } from './environment.ts';
import {
  type Costs,
  movedBytes,
  type Result,
  SCHEMA,
  type Situation,
  type SuiteFile,
  situationKey,
  type Unit,
} from './schema.ts';
import { median, spread } from './statistics.ts';

const GIB = 1024 ** 3;

interface Group {
  readonly situation: Situation;
  readonly unit: Unit;
  readonly samples: number[];
  readonly costs: Costs[];
}

/** Takes the samples of a run and writes its file. */
export class Collector {
  readonly #groups = new Map<string, Group>();
  readonly #ready: Result[] = [];
  readonly #environment = environment();
  readonly #file: string | undefined;

  /** @param file where the results go; nowhere without it */
  constructor(file: string | undefined) {
    this.#file = file;
  }

  add(situation: Situation, unit: Unit, value: number, costs: Costs = {}): void {
    const key = `${situationKey(situation, true)} ${unit}`;
    const group = this.#groups.get(key) ?? { situation, unit, samples: [], costs: [] };
    group.samples.push(value);
    group.costs.push(costs);
    this.#groups.set(key, group);
  }

  /** Takes over what another benchmark has computed. */
  addResults(results: readonly Result[]): void {
    this.#ready.push(...results);
  }

  results(): Result[] {
    return [...[...this.#groups.values()].map(resultOf), ...this.#ready];
  }

  /** Writes what there is so far, whole or not at all. */
  async save(): Promise<void> {
    if (this.#file === undefined) return;
    const whole: SuiteFile = { schema: SCHEMA, ...(await this.#environment), results: this.results() };
    await mkdir(dirname(this.#file), { recursive: true });
    await writeFile(`${this.#file}.part`, `${JSON.stringify(whole, null, 1)}\n`);
    await rename(`${this.#file}.part`, this.#file);
  }
}

function resultOf({ situation, unit, samples, costs }: Group): Result {
  const bytes = movedBytes(situation);
  const of = (name: keyof Costs) => costs.map((cost) => cost[name]).filter((value) => value !== undefined);
  const [cpu, rss, requests] = [of('cpuSeconds'), of('peakRssBytes'), of('requests')];
  return {
    ...situation,
    unit,
    samples,
    median: median(samples),
    spread: spread(samples),
    ...(cpu.length > 0 && { cpuSeconds: median(cpu) }),
    ...(cpu.length > 0 && bytes > 0 && { cpuSecondsPerGiB: median(cpu) / (bytes / GIB) }),
    ...(requests.length > 0 && { requests: median(requests) }),
    ...(rss.length > 0 && { peakRssBytes: Math.max(...rss) }),
  };
}

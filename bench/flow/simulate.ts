/** Runs objects through a controller against a modelled registry, and reads off what the registry has seen. */
import { EventClock } from '../../src/flow/eventClock.ts';
import type { MakeController } from './controllers.ts';
import { ModelRegistry, type ModelSettings, type Seen, tokensBetween } from './modelRegistry.ts';

export interface Load {
  readonly objects: number;
  /** Objects under way at once. */
  readonly workers: number;
  readonly bytes: number;
  /** Clients of their own that share the registry, each with as many objects; the others start later by so much. */
  readonly clients?: number;
  readonly startMs?: readonly number[];
  /** The clients stop after this, however many objects are left, in milliseconds. */
  readonly untilMs?: number;
}

export interface Run {
  readonly seen: readonly Seen[];
  readonly seconds: number;
  readonly peakBulk: number;
  /** What the controller thought each quarter of a second. */
  readonly limits: readonly {
    readonly ms: number;
    readonly perSecond: number | undefined;
    readonly window: number | undefined;
  }[];
}

const WATCHED = 'manifest-write';

export async function simulate(
  settings: ModelSettings,
  make: MakeController,
  load: Load,
  seed = 1,
): Promise<Run> {
  const clock = new EventClock();
  const registry = new ModelRegistry(clock, settings, seed);
  const limits: Run['limits'][number][] = [];
  let over = false;
  const client = async (index: number) => {
    const controller = make(clock, seed * 100 + index);
    const name = String.fromCharCode(65 + index);
    await clock.sleep(load.startMs?.[index] ?? 0);
    let next = 0;
    const worker = async () => {
      while (next++ < load.objects && clock.now() < (load.untilMs ?? Number.POSITIVE_INFINITY)) {
        await controller.send('upload-start', 0, () => registry.request('upload-start', 0, name));
        await controller.send('upload-commit', load.bytes, () =>
          registry.request('upload-commit', load.bytes, name),
        );
        await controller.send(WATCHED, 0, () => registry.request(WATCHED, 0, name));
      }
    };
    const watch = async () => {
      while (index === 0 && !over) {
        const { perSecond, window } = controller.limits?.(WATCHED) ?? {};
        limits.push({ ms: clock.now(), perSecond, window });
        await clock.sleep(250);
      }
    };
    void watch();
    await Promise.all(Array.from({ length: load.workers }, worker));
  };
  await clock.run(
    Promise.all(Array.from({ length: load.clients ?? 1 }, (_, index) => client(index))).then(() => {
      over = true;
    }),
  );
  return { seen: registry.seen, seconds: clock.now() / 1000, peakBulk: registry.peakBulk, limits };
}

export interface Figures {
  readonly seconds: number;
  /** Accepted requests of what the cap on manifests permitted, between the two moments. */
  readonly permittedShare: number;
  readonly requests: number;
  readonly refused: number;
  /** Of the requests of the capped kind. */
  readonly refusedShare: number;
  readonly retries: number;
}

/** What came through and what was refused, from one moment to another, in milliseconds. */
export function figuresOf(
  run: Pick<Run, 'seen' | 'seconds'>,
  settings: ModelSettings,
  fromMs = 0,
  toMs = lastAccepted(run),
  client?: string,
): Figures {
  const mine = run.seen.filter((one) => client === undefined || one.client === client);
  const cap = settings.caps.find(({ kinds }) => kinds.includes(WATCHED));
  const kinds = cap?.kinds ?? [WATCHED];
  const within = mine.filter(({ ms, kind }) => kinds.includes(kind) && ms >= fromMs && ms <= toMs);
  const accepted = within.filter(({ status }) => status === 201).length;
  const refused = within.filter(({ status }) => status === 429).length;
  const allRefused = mine.filter(({ status }) => status === 429).length;
  return {
    seconds: run.seconds,
    permittedShare: cap ? accepted / tokensBetween(cap, fromMs, toMs) : Number.NaN,
    requests: mine.length,
    refused: allRefused,
    refusedShare: within.length === 0 ? 0 : refused / within.length,
    retries: mine.filter(({ status }) => status !== 201).length,
  };
}

/** The end of the load: what comes after the last of the queue is no matter of the rate. */
function lastAccepted(run: Pick<Run, 'seen'>): number {
  return run.seen.reduce((last, { ms, status }) => (status === 201 ? Math.max(last, ms) : last), 0);
}

import { bufferSource } from '../../engine/bufferSource.ts';
import { CachedStore } from '../cachedStore.ts';
import { digestOf } from '../manifest.ts';
import type { Noise } from '../noise.ts';
import type { ObjectRef } from '../objectNames.ts';
import type { ObjectContent } from '../objectStore.ts';
import { OciStore } from '../ociStore.ts';
import type { OpenOciStore } from '../openStore.ts';
import { runAll } from '../runAll.ts';
import { type Cell, type CellMode, OBJECT_BYTES, READERS } from './cells.ts';
import { restoreReads } from './restoreReads.ts';

/** One cell, measured once. */
export interface BenchSample {
  readonly seconds: number;
  readonly bytes: number;
  readonly objects: number;
  /** Reads of parts, where it is about them. */
  readonly reads?: number;
}

/** What measurements need of a run. */
export interface MeasureContext {
  /** Stores at one place, one for each mode that is measured. */
  readonly stores: Readonly<Partial<Record<CellMode, OpenOciStore>>>;
  readonly noise: Noise;
  readonly signal: AbortSignal;
  /** Told of each blob before it is pushed. */
  expect(digest: string, bytes: number): void;
}

/** Measures cells with objects that no registry has seen before, made before the clock runs. */
export class Measurements {
  readonly #context: MeasureContext;
  /** What the cells of this round have pushed, by their names. */
  readonly #pushed = new Map<string, readonly ObjectRef[]>();
  #listable = 0;

  constructor(context: MeasureContext) {
    this.#context = context;
  }

  /** Between rounds, when everything was taken away. */
  forget(): void {
    this.#pushed.clear();
    this.#listable = 0;
  }

  /**
   * @throws KlosetError CANCELLED, or what the registry failed with
   */
  async measure(cell: Cell): Promise<BenchSample> {
    if (cell.what === 'push') return this.#push(cell);
    if (cell.what === 'pull') return this.#pull(cell);
    return cell.what === 'read' ? this.#read(cell) : this.#list(cell);
  }

  async #push(cell: Cell): Promise<BenchSample> {
    const { noise, signal } = this.#context;
    const { store } = this.#storeOf(cell);
    const contents = Array.from({ length: cell.objects }, () => {
      const content = noise(OBJECT_BYTES[cell.size]);
      this.#context.expect(digestOf(content), content.length);
      const ref: ObjectRef = { type: 'packfile', mac: Buffer.from(noise(32)).toString('hex') };
      return { ref, content };
    });
    const seconds = await timed(() =>
      runAll(contents, { signal, concurrency: cell.lanes }, async ({ ref, content }, stop) => {
        await store.put(ref, bufferSource(content, ref.mac), { signal: stop });
      }),
    );
    this.#pushed.set(
      cell.name,
      contents.map(({ ref }) => ref),
    );
    this.#listable += contents.length;
    return { seconds, ...moved(cell, contents.length) };
  }

  async #pull(cell: Cell): Promise<BenchSample> {
    const { signal } = this.#context;
    const refs = this.#pushedBy(cell).slice(0, cell.objects);
    const store = this.#reader(cell);
    const seconds = await timed(() =>
      runAll(refs, { signal, concurrency: cell.lanes }, async (ref, stop) => {
        await drain(await store.get(ref, { signal: stop }));
      }),
    );
    await store.close();
    return { seconds, ...moved(cell, refs.length) };
  }

  async #read(cell: Cell): Promise<BenchSample> {
    const { noise, signal } = this.#context;
    const [ref] = this.#pushedBy(cell);
    if (!ref) return { seconds: 0, bytes: 0, objects: 0 };
    const store = new CachedStore(this.#reader(cell));
    const readers = restoreReads(OBJECT_BYTES[cell.size], READERS, noise);
    try {
      const seconds = await timed(() =>
        runAll(readers, { signal, concurrency: READERS }, async (reads, stop) => {
          for (const range of reads) await drain(await store.get(ref, { range, signal: stop }));
        }),
      );
      return { seconds, ...moved(cell, 1), reads: readers.flat().length };
    } finally {
      await store.close();
    }
  }

  async #list(cell: Cell): Promise<BenchSample> {
    const store = this.#reader(cell);
    let objects = 0;
    const seconds = await timed(async () => {
      const all = await store.listAll(['packfile'], { signal: this.#context.signal });
      for (const _ of all) objects++;
    });
    await store.close();
    // Under tags with another beginning they are listed, and not known as objects.
    return { seconds, bytes: 0, objects: objects > 0 ? objects : this.#listable };
  }

  /** A store that has seen nothing yet, as that of a process that starts, on connections that are warm. */
  #reader(cell: Cell): OciStore {
    const { exchange, coordinator } = this.#storeOf(cell);
    return new OciStore(exchange, coordinator, { allowSharedRepository: true });
  }

  #storeOf({ mode }: Cell): OpenOciStore {
    const store = this.#context.stores[mode];
    if (!store) throw new Error(`no store for ${mode}`);
    return store;
  }

  #pushedBy({ from = '' }: Cell): readonly ObjectRef[] {
    return this.#pushed.get(from) ?? [];
  }
}

function moved({ size }: Cell, objects: number): Pick<BenchSample, 'bytes' | 'objects'> {
  return { bytes: objects * OBJECT_BYTES[size], objects };
}

async function timed(run: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await run();
  return (performance.now() - startMs) / 1000;
}

async function drain({ parts, stream }: ObjectContent): Promise<void> {
  if (parts) return;
  for await (const _ of stream);
}

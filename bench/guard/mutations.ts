/**
 * Regressions on purpose, each as a change to one file of the product and the scenario that has to turn red. A text
 * that is not found exactly once fails the proof: the product has changed, and the mutation has to follow.
 */
import type { ScenarioName } from './budgets.ts';

export interface Mutation {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly scenario: ScenarioName;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'an extra copy of each window of a file',
    file: 'src/engine/windowPool.ts',
    from: 'yield view;',
    to: 'yield view.slice();',
    scenario: 'pushFiles',
  },
  {
    name: 'an extra copy of each piece that arrives',
    file: 'src/engine/arrivingObject.ts',
    from: 'write(bytes: Uint8Array): void {',
    to: 'write(bytes: Uint8Array): void {\n    bytes = new Uint8Array(bytes);',
    scenario: 'arriving',
  },
  {
    name: 'an extra copy of each chunk that is read',
    file: 'src/store/reads/blockFetch.ts',
    from: 'this.#keep(chunk);',
    to: 'this.#keep(Uint8Array.from(chunk));',
    scenario: 'reads',
  },
  {
    name: 'reads come in memory of the client, not in blocks of the cache',
    file: 'src/registry/blobs.ts',
    from: 'place && ((at) => place(from + at))',
    to: 'undefined',
    scenario: 'reads',
  },
  {
    name: 'a pull is hashed on the main thread',
    file: 'src/store/storedSource.ts',
    from: 'isPourable(blobs) ? store.pour?.bind(store, ref, blobs) : undefined',
    to: 'undefined',
    scenario: 'pullFiles',
  },
  {
    name: 'hashing on the main thread',
    file: 'src/workers/hasher.ts',
    from: 'const SMALL_BYTES = 64 * 1024;',
    to: 'const SMALL_BYTES = Number.POSITIVE_INFINITY;',
    scenario: 'arriving',
  },
  {
    name: 'manifests are not remembered',
    file: 'src/store/resolver.ts',
    from: 'this.#known.set(tag, manifest);',
    to: '',
    scenario: 'reads',
  },
  {
    name: 'objects one after the other',
    file: 'src/engine/coordinator.ts',
    from: 'this.#queue = new PQueue({ concurrency });',
    to: 'this.#queue = new PQueue({ concurrency: 1 });',
    scenario: 'parallel',
  },
  {
    name: 'a chunk is read only once the one before is stored',
    file: 'src/engine/windowedPayload.ts',
    from: 'if (this.#ahead || this.#wanted(offset, maxBytes) <= 0) return;',
    to: 'if (offset >= 0 || maxBytes >= 0) return;',
    scenario: 'parallel',
  },
  {
    name: 'one more request per object',
    file: 'src/store/ociStore.ts',
    from: "if (ref.type === 'lock') return false;",
    to: 'if (ref.mac) return true;',
    scenario: 'pushSmall',
  },
  {
    name: 'a string for each tag of a page',
    file: 'src/registry/tagPage.ts',
    from: 'this.#plain = readPlainTags(this.#body, reader);',
    to: '',
    scenario: 'pushSmall',
  },
  {
    name: 'the cache of blocks is switched off',
    file: 'src/store/cachedStore.ts',
    from: 'if (!isCached(ref)) return this.inner.get(ref, options);',
    to: 'if (ref.mac) return this.inner.get(ref, options);',
    scenario: 'reads',
  },
  {
    name: 'nothing is read ahead',
    file: 'src/store/reads/readPolicy.ts',
    from: 'maxAheadBytes: 16 * MIB,',
    to: 'maxAheadBytes: 0,',
    scenario: 'traces',
  },
  {
    name: 'buffering without a bound',
    file: 'src/engine/payloads.ts',
    from: 'new SlabPool(Math.max(bound - OVERHEAD_BYTES, Math.floor(bound / 3)), SEGMENT_BYTES)',
    to: 'new SlabPool(64 * bound, SEGMENT_BYTES)',
    scenario: 'memory',
  },
  {
    name: 'the slower hash is taken',
    file: 'src/engine/coordinator.ts',
    from: "choice: options.hasher ?? 'auto'",
    to: "choice: options.hasher ?? 'wasm'",
    scenario: 'processorTime',
  },
];

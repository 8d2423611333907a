/** A host over a model registry: it puts, names and deletes packfiles as a schedule says, and keeps account. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import type { ByteSource } from '../../src/engine/source.ts';
import { KlosetError } from '../../src/errors.ts';
import { type ObjectRef, objectRef, tagOf } from '../../src/store/objectNames.ts';
import type { ObjectStore } from '../../src/store/objectStore.ts';
import { WriteBehindStore } from '../../src/store/writeBehind.ts';
import { refOf } from '../engine/rig.ts';
import { ModelRegistry } from './modelRegistry.ts';

export const LOCK: ObjectRef = { ...refOf(90), type: 'lock' };
const MAX_PENDING = 3;
const PACKFILES = 4;

/** Lets everything run that can run without an answer of the registry. */
export const idle = () => new Promise<void>((resolve) => setImmediate(resolve));

export const packfile = (number: number) =>
  objectRef(number === 0 ? 'ecc-packfile' : 'packfile', `${number}`.padStart(64, '0'));

export function heldSource(
  bytes: Uint8Array = new Uint8Array(1),
  onRelease: () => void = () => {},
): ByteSource {
  return { ...bufferSource(bytes, 'held'), held: { release: onRelease } };
}

export type Action =
  | { kind: 'put'; number: number; held: boolean }
  | { kind: 'state' | 'ecc-state' | 'lock' | 'unlock' | 'list' | 'create' }
  | { kind: 'delete' | 'get'; number: number }
  | { kind: 'answer'; at: number }
  | { kind: 'fail'; at: number; landed: boolean }
  | { kind: 'abort'; at: number }
  | { kind: 'crash'; landed: number }
  | { kind: 'reopen' };

const number = fc.nat(PACKFILES - 1);
const at = fc.nat(20);
export const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('put' as const), number, held: fc.nat(3).map(Boolean) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'state' as const,
        'state' as const,
        'ecc-state' as const,
        'lock' as const,
        'unlock' as const,
        'list' as const,
        'create' as const,
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'get' as const), number }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('answer' as const), at }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fail' as const), at, landed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), landed: fc.nat() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

interface HostCall {
  readonly what: string;
  readonly controller: AbortController;
  result: 'open' | 'done' | 'failed';
}

/** How often what the property is about has come up. */
export const seen = { states: 0, acknowledgedEarly: 0, late: 0, mended: 0, crashes: 0, refusedStates: 0 };

/** A host that puts, names and deletes packfiles, and keeps account of what it was promised. */
export class Host {
  readonly registry = new ModelRegistry();
  #connection = this.registry.connect();
  #store = new WriteBehindStore(this.#connection, { maxPending: MAX_PENDING });
  #calls: HostCall[] = [];
  /** Acknowledged and not deleted since: what a state may name. */
  #owned = new Set<string>();
  /** What each state names, as long as the host does not delete it, by the source of the state. */
  readonly #named = new Map<ByteSource | undefined, Set<string>>();
  readonly #visible: Set<string>[] = [];
  /** What calls that are under way will have shown to be stored. */
  readonly #expected = new Set<Set<string>>();
  /** Puts under way. */
  readonly #puts = new Set<{ readonly tag: string; deleted: boolean }>();
  /** Puts of held bytes. */
  readonly #held = new Map<ByteSource, { acknowledged: boolean; ended: boolean }>();
  #states = 0;

  constructor() {
    this.registry.onStored = (ref, source) => {
      if (!ref.type.endsWith('state')) return;
      seen.states++;
      this.#visible.push(this.#named.get(source) ?? new Set());
    };
    this.registry.onCancelled = (source) => {
      if (source && this.#held.get(source)?.acknowledged)
        throw new Error('an acknowledged put was cancelled');
    };
  }

  async run(action: Action): Promise<void> {
    switch (action.kind) {
      case 'put':
        this.#put(action.number, action.held);
        break;
      case 'state':
      case 'ecc-state': {
        const source = bufferSource(new Uint8Array(1), 'a state');
        this.#named.set(source, new Set(this.#owned));
        const ref = objectRef(action.kind, `${++this.#states}`.padStart(64, 'f'));
        this.#barrier(action.kind, (signal) => this.#store.put(ref, source, { signal }));
        break;
      }
      case 'list':
        this.#barrier('list', (signal) => collectNames(this.#store, signal));
        break;
      case 'create':
        this.#barrier('create', (signal) => this.#store.create(new Uint8Array(1), { signal }));
        break;
      case 'unlock':
        this.#barrier('unlock', (signal) => this.#store.delete(LOCK, { signal }));
        break;
      case 'lock': {
        const before = this.registry.waiting.length;
        this.#call('lock', (signal) =>
          this.#store.put(LOCK, bufferSource(new Uint8Array(1), 'a lock'), { signal }),
        );
        await idle();
        expect(this.registry.waiting.slice(before).map(({ ref }) => ref?.type)).toContain('lock');
        break;
      }
      case 'delete': {
        const tag = tagOf(packfile(action.number));
        this.#barrier('delete', (signal) => this.#store.delete(packfile(action.number), { signal }));
        for (const set of [this.#owned, ...this.#named.values(), ...this.#expected]) set.delete(tag);
        for (const put of this.#puts) if (put.tag === tag) put.deleted = true;
        break;
      }
      case 'get': {
        const owned = this.#owned.has(tagOf(packfile(action.number)));
        const expected = new Set(owned ? [tagOf(packfile(action.number))] : []);
        this.#call('get', (signal) => this.#store.get(packfile(action.number), { signal }), expected);
        break;
      }
      case 'answer':
        this.#take(action.at)?.answer();
        break;
      case 'fail': {
        const operation = this.#take(action.at);
        if (action.landed) operation?.land();
        operation?.answer(new KlosetError('REGISTRY_FAILED', 'the registry is ill'));
        break;
      }
      case 'abort':
        this.#calls[action.at % Math.max(1, this.#calls.length)]?.controller.abort();
        break;
      case 'crash':
        seen.crashes++;
        this.#connection.cut();
        this.registry.crash(action.landed);
        this.#begin();
        break;
      case 'reopen':
        await this.close();
        this.#begin();
        break;
    }
    await idle();
    this.check();
  }

  check(): void {
    for (const named of this.#visible)
      for (const tag of named)
        if (!this.registry.tags.has(tag)) throw new Error(`a state names ${tag}, which is missing`);
    const pending = [...this.#held.values()].filter(({ acknowledged, ended }) => acknowledged && !ended);
    expect(pending.length).toBeLessThanOrEqual(MAX_PENDING);
  }

  /** Closes the store while the registry answers everything; then nothing may be left open. */
  async close(): Promise<void> {
    this.#barrier('close', () => this.#store.close());
    for (let round = 0; round < 500 && this.#calls.some(({ result }) => result === 'open'); round++) {
      this.#take(round)?.answer();
      await idle();
      this.check();
    }
    expect(this.#calls.filter(({ result }) => result === 'open').map(({ what }) => what)).toEqual([]);
    for (const { acknowledged, ended } of this.#held.values()) expect(ended || !acknowledged).toBe(true);
  }

  #put(number: number, isHeld: boolean): void {
    const ref = packfile(number);
    const put = { tag: tagOf(ref), acknowledged: false, ended: false, deleted: false };
    this.#puts.add(put);
    const source = isHeld
      ? heldSource(undefined, () => Object.assign(put, { ended: true }))
      : bufferSource(new Uint8Array(1), 'x');
    if (isHeld) this.#held.set(source, put);
    const failedBefore = this.#failed(ref);
    this.#call('put', async (signal) => {
      await this.#store.put(ref, source, { signal });
      put.acknowledged = true;
      if (!put.ended) seen.acknowledgedEarly++;
      if (failedBefore) seen.mended++;
      if (!put.deleted) this.#owned.add(tagOf(ref));
      this.#puts.delete(put);
    });
  }

  #failed(ref: ObjectRef): boolean {
    return this.#owned.has(tagOf(ref)) && !this.registry.tags.has(tagOf(ref));
  }

  #barrier(what: string, run: (signal: AbortSignal) => Promise<unknown>): void {
    this.#call(what, run, new Set(this.#owned));
  }

  #call(what: string, run: (signal: AbortSignal) => Promise<unknown>, expected = new Set<string>()): void {
    const call: HostCall = { what, controller: new AbortController(), result: 'open' };
    const calls = this.#calls;
    calls.push(call);
    this.#expected.add(expected);
    run(call.controller.signal)
      .then(
        () => {
          // Answers to a process that is gone reach nobody.
          if (calls !== this.#calls) return;
          call.result = 'done';
          this.#expected.delete(expected);
          for (const tag of expected)
            if (!this.registry.tags.has(tag)) throw new Error(`${what} succeeded, and ${tag} is missing`);
        },
        (error) => {
          call.result = 'failed';
          this.#expected.delete(expected);
          if (!/accepted but could not be stored/.test(error.message)) return;
          seen.late++;
          if (what.endsWith('state')) seen.refusedStates++;
        },
      )
      .catch((error) => this.#broken.push(error));
  }

  readonly #broken: unknown[] = [];

  /** Throws what went wrong inside of answers. */
  throwBroken(): void {
    for (const error of this.#broken) throw error;
  }

  #take(at: number) {
    const { waiting } = this.registry;
    return waiting.splice(at % Math.max(1, waiting.length), 1)[0];
  }

  /** A new process at the same registry: it knows what it finds there. */
  #begin(): void {
    this.#connection = this.registry.connect();
    this.#store = new WriteBehindStore(this.#connection, { maxPending: MAX_PENDING });
    this.#calls = [];
    this.#held.clear();
    this.#expected.clear();
    this.#owned = new Set([...this.registry.tags].filter((tag) => tag.includes('packfiles-')));
  }
}

export async function collectNames(store: ObjectStore, signal?: AbortSignal): Promise<string[]> {
  const macs: string[] = [];
  for await (const mac of store.list('packfile', signal ? { signal } : {})) macs.push(mac);
  return macs;
}

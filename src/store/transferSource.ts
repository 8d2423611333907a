import { fileSource } from '../engine/fileSource.ts';
import type { ByteSource } from '../engine/source.ts';
import { DirectoryStore } from './directoryStore.ts';
import { describeRef, type ObjectRef, type ObjectType } from './objectNames.ts';
import type { OperationOptions } from './objectStore.ts';
import { type DigestStore, storedSource } from './storedSource.ts';

/** One object to move. Opening it may read its size, so that thousands of them need not be open at once. */
export interface TransferItem {
  readonly type: ObjectType;
  /** `undefined` for a file that its content names: it is hashed when its turn comes, many at once. */
  readonly mac: string | undefined;
  /** Length in bytes, `undefined` where only opening tells. */
  readonly bytes: number | undefined;
  open(signal?: AbortSignal): Promise<ByteSource>;
}

/** What a transfer moves. */
export interface TransferSource {
  /** The configuration, where a store is moved. */
  readonly config: Uint8Array | undefined;
  /** In the order in which they may become visible: what is named before what names it. */
  readonly items: readonly TransferItem[];
}

// A state names packfiles: it goes last. Locks are of the moment and of the place where they were taken.
const MOVED: readonly (readonly ObjectType[])[] = [
  ['ecc-packfile', 'packfile'],
  ['ecc-state', 'state'],
];

/**
 * All that a store holds, without its locks. A backup may be running into it: states are listed before packfiles, so
 * that every state of the list has its packfiles in the list.
 *
 * @throws KlosetError STORE_MISSING
 */
export async function sourceOf(
  store: DirectoryStore | DigestStore,
  signal?: AbortSignal,
): Promise<TransferSource> {
  const options = signal ? { signal } : {};
  const config = await store.open(options);
  const found: TransferItem[][] = [];
  for (const types of MOVED.toReversed()) {
    const items: TransferItem[] = [];
    for await (const ref of refsOf(store, types, options)) items.push(await itemOf(store, ref));
    found.unshift(items);
  }
  return { config, items: found.flat() };
}

async function* refsOf(
  store: DirectoryStore | DigestStore,
  types: readonly ObjectType[],
  options: OperationOptions,
): AsyncGenerator<ObjectRef, void, void> {
  if ('listAll' in store && store.listAll) yield* await store.listAll(types, options);
  else for (const type of types) for await (const mac of store.list(type, options)) yield { type, mac };
}

async function itemOf(store: DirectoryStore | DigestStore, ref: ObjectRef): Promise<TransferItem> {
  if (store instanceof DirectoryStore) {
    const { bytes } = await store.stat(ref);
    return { ...ref, bytes, open: () => fileSource(store.pathOf(ref), describeRef(ref)) };
  }
  const open = (signal?: AbortSignal) => storedSource(store, ref, signal ? { signal } : {});
  return { ...ref, bytes: undefined, open };
}

/** What the fault table does to a store, and what has to be true of it afterwards. */
import { createReadStream } from 'node:fs';
import { expect } from 'vitest';
import { startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { fileSource } from '../../src/engine/fileSource.ts';
import type { ByteSource } from '../../src/engine/source.ts';
import { streamSource } from '../../src/engine/streamSource.ts';
import { type ObjectRef, tagOf } from '../../src/store/objectNames.ts';
import { type OciStoreOptions, openOciStore } from '../../src/store/openStore.ts';
import { copyAll } from '../../src/store/transfer.ts';
import { call, manifestOf, sha } from '../emulator/support.ts';
import { collect, MIB, refOf } from '../engine/rig.ts';
import { HUGE, LARGE, putBefore, REPOSITORY, SMALL, type Stage } from './stage.ts';

export interface Operation {
  readonly options?: OciStoreOptions;
  /** Bytes of object content that it moves. */
  readonly bytes: number;
  before?(stage: Stage): Promise<void>;
  run(stage: Stage): Promise<void>;
  /** After success. */
  done?(stage: Stage): Promise<void>;
  /** After a failure: nothing is half there. */
  undone?(stage: Stage): Promise<void>;
}

const PUT = refOf(1);
const LOCK: ObjectRef = { ...refOf(2), type: 'lock' };
const LISTED = 130;
const CONFIG = Buffer.from('the configuration of a store');

function push(
  content: Buffer,
  options: OciStoreOptions,
  source: (stage: Stage) => Promise<ByteSource>,
  singlePost = false,
): Operation {
  return {
    options,
    bytes: content.length,
    run: async (stage) => {
      // Most registries do not take a blob with the first request.
      if (!singlePost) stage.open.coordinator.host(stage.registry.url).singlePost = false;
      await stage.open.store.put(PUT, await source(stage));
    },
    done: async (stage) => {
      const { stream } = await stage.afterwards().store.get(PUT);
      expect((await collect(stream)).equals(content)).toBe(true);
    },
    undone: async (stage) => {
      await expect(stage.afterwards().store.stat(PUT)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    },
  };
}

const largeFile = (stage: Stage) => fileSource(stage.props.largeFile);
const largeStream = async (stage: Stage) => streamSource(createReadStream(stage.props.largeFile), 'stdin');
const hugeFile = (stage: Stage) => fileSource(stage.props.hugeFile);
const hugeStream = async (stage: Stage) => streamSource(createReadStream(stage.props.hugeFile), 'stdin');
const CHUNKED = { uploadMode: 'chunked', chunkBytes: MIB } as const;

const stored = (stage: Stage) => putBefore(stage, 1, LARGE);

export const OPERATIONS = {
  'push small': push(SMALL, {}, async () => bufferSource(SMALL, 'small')),
  'push in one request': push(SMALL, {}, async () => bufferSource(SMALL, 'small'), true),
  'push file': push(LARGE, {}, largeFile),
  'push file whole': push(LARGE, { uploadMode: 'monolithic' }, largeFile),
  'push file in chunks': push(LARGE, CHUNKED, largeFile),
  'push stream': push(LARGE, { chunkBytes: MIB }, largeStream),
  'push 24 MiB whole': push(HUGE, { uploadMode: 'monolithic' }, hugeFile),
  'push 24 MiB in chunks': push(HUGE, { uploadMode: 'chunked', chunkBytes: 4 * MIB }, hugeFile),
  'push 24 MiB stream': push(HUGE, { chunkBytes: 4 * MIB }, hugeStream),
  'get whole': {
    bytes: LARGE.length,
    before: stored,
    run: async ({ open }) => {
      expect((await collect((await open.store.get(PUT)).stream)).equals(LARGE)).toBe(true);
    },
  },
  'get small': {
    bytes: SMALL.length,
    before: (stage) => putBefore(stage, 1, SMALL),
    run: async ({ open }) => {
      expect((await collect((await open.store.get(PUT)).stream)).equals(SMALL)).toBe(true);
    },
  },
  'get range': {
    bytes: 2 * MIB,
    before: stored,
    run: async ({ open }) => {
      const range = { offset: 3 * MIB + 7, length: 2 * MIB };
      const read = await collect((await open.store.get(PUT, { range })).stream);
      expect(read.equals(LARGE.subarray(range.offset, range.offset + range.length))).toBe(true);
    },
  },
  list: {
    bytes: 0,
    before: putTags,
    run: async ({ open }) => {
      const found: string[] = [];
      for await (const mac of open.store.list('packfile')) found.push(mac);
      const expected = Array.from({ length: LISTED }, (_, number) => refOf(number).mac);
      expect(found.sort()).toEqual(expected.sort());
    },
  },
  'list nothing': {
    bytes: 0,
    run: async ({ open }) => {
      for await (const mac of open.store.list('packfile')) expect(mac).toBe('none');
    },
  },
  stat: {
    bytes: 0,
    before: (stage) => putBefore(stage, 1, SMALL),
    run: async ({ open }) => expect(await open.store.stat(PUT)).toMatchObject({ bytes: SMALL.length }),
  },
  verify: {
    bytes: 0,
    before: (stage) => putBefore(stage, 1, SMALL),
    run: async ({ open }) => {
      const finding = await open.store.verify(PUT);
      if (!finding.ok) throw finding.error;
    },
  },
  'verify deep': {
    bytes: SMALL.length,
    before: (stage) => putBefore(stage, 1, SMALL),
    run: async ({ open }) => {
      const finding = await open.store.verify(PUT, { deep: true });
      if (!finding.ok) throw finding.error;
    },
  },
  delete: {
    bytes: 0,
    before: (stage) => putBefore(stage, 1, SMALL),
    run: ({ open }) => open.store.delete(PUT),
    done: async (stage) => {
      const { store } = stage.afterwards();
      // Where a tag is protected a tombstone hides it, which only a walk over the tags tells.
      for await (const mac of store.list(PUT.type)) expect(mac).not.toBe(PUT.mac);
      await expect(store.stat(PUT)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    },
    undone: async (stage) => {
      expect(await stage.afterwards().store.stat(PUT)).toMatchObject({ bytes: SMALL.length });
    },
  },
  create: {
    bytes: CONFIG.length,
    run: ({ open }) => open.store.create(CONFIG),
    done: async (stage) => {
      expect(Buffer.from(await stage.afterwards().store.open()).equals(CONFIG)).toBe(true);
    },
    undone: async (stage) => {
      await expect(stage.afterwards().store.open()).rejects.toMatchObject({ code: 'STORE_MISSING' });
    },
  },
  lock: {
    bytes: 300,
    run: async ({ open }) => {
      await open.store.put(LOCK, bufferSource(SMALL.subarray(0, 300), 'lock'));
    },
    done: async (stage) => {
      const { stream } = await stage.afterwards().store.get(LOCK);
      expect((await collect(stream)).equals(SMALL.subarray(0, 300))).toBe(true);
    },
  },
  'write and read': {
    bytes: SMALL.length,
    run: async ({ open }) => {
      await open.store.put(PUT, bufferSource(SMALL, 'small'));
      expect((await collect((await open.store.get(PUT)).stream)).equals(SMALL)).toBe(true);
    },
  },
  copy: {
    bytes: SMALL.length,
    run: async ({ open }) => {
      const source = await startRegistry();
      const from = openOciStore(`oci://${source.address}/from`, { hasher: 'native' });
      try {
        await from.store.create(CONFIG);
        await from.store.put(PUT, bufferSource(SMALL, 'small'));
        await copyAll(from.store, open.store);
      } finally {
        await from.close();
        await source.close();
      }
    },
    done: async (stage) => {
      const { store } = stage.afterwards();
      expect((await collect((await store.get(PUT)).stream)).equals(SMALL)).toBe(true);
      expect(Buffer.from(await store.open()).equals(CONFIG)).toBe(true);
    },
    undone: async (stage) => {
      await expect(stage.afterwards().store.open()).rejects.toMatchObject({ code: 'STORE_MISSING' });
    },
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

/** One small object under many tags, in one request: a manifest can be put under several. */
async function putTags({ registry }: Stage): Promise<void> {
  const manifest = await manifestOf(registry, REPOSITORY);
  const tags = Array.from({ length: LISTED }, (_, number) => `tag=${tagOf(refOf(number))}`);
  const path = `/v2/${REPOSITORY}/manifests/${sha(manifest)}?${tags.join('&')}`;
  const headers = { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' };
  const reply = await call(registry, 'PUT', path, { headers, body: manifest });
  expect(reply.status).toBe(201);
}

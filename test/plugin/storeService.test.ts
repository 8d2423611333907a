import { beforeEach, describe, expect, it } from 'vitest';
import { KlosetError } from '../../src/errors.ts';
import type { Backend } from '../../src/plugin/backend.ts';
import { StoreService } from '../../src/plugin/storeService.ts';
import { GRPC_STATUS } from '../../src/plugin/transport.ts';
import type { ObjectContent, ObjectStore } from '../../src/store/objectStore.ts';
import { type FakeCall, fakeCall, settle } from './support/fakeCall.ts';
import { encode, frame } from './support/grpcClient.ts';
import { type MemoryObjects, memoryObjects } from './support/memoryObject.ts';

const MAC = Buffer.alloc(32, 1);

/** A store whose operations a test answers one by one. */
class ScriptedStore implements ObjectStore {
  readonly location = 'oci://scripted/store';
  readonly calls: string[] = [];
  onGet: (signal: AbortSignal | undefined) => Promise<ObjectContent> = () =>
    Promise.reject(new Error('no get'));
  onPut: (signal: AbortSignal | undefined) => Promise<void> = async () => {};
  onDelete: (signal: AbortSignal | undefined) => Promise<void> = async () => {};

  create = async () => {};
  open = async () => Buffer.from('config');
  async *list() {}
  stat = () => Promise.reject(new Error('no stat'));
  verify = () => Promise.reject(new Error('no verify'));
  close = async () => {};
  get: ObjectStore['get'] = (_ref, options) => this.onGet(options?.signal);
  delete: ObjectStore['delete'] = (_ref, options) => this.onDelete(options?.signal);
  put: ObjectStore['put'] = async (_ref, source, options) => {
    this.calls.push(`put of ${source.sizeBytes} bytes`);
    await this.onPut(options?.signal);
    return { bytes: source.sizeBytes ?? 0, skipped: false };
  };
}

let store: ScriptedStore;
let objects: MemoryObjects;
let service: StoreService;
let log: string[];
let closes: number;
let releasing: (signal: AbortSignal) => Promise<void>;

function start(method: string, request?: Record<string, unknown>): FakeCall {
  const call = fakeCall(`/store.Store/${method}`);
  service.handle(call);
  if (request) {
    call.send(frame(encode(`${method}Request`, request)));
    call.close();
  }
  return call;
}

beforeEach(async () => {
  store = new ScriptedStore();
  objects = memoryObjects();
  log = [];
  closes = 0;
  releasing = async () => {};
  const backend: Backend = {
    identity: { origin: 'o', type: 'oci', root: 'r' },
    store,
    receive: objects.receive,
    releaseLocks: (signal) => releasing(signal),
    close: async () => {
      closes++;
    },
  };
  service = new StoreService(
    () => backend,
    (line) => log.push(line),
  );
  const { status } = await start('Init', { config: { location: 'oci://localhost/a' } }).ended;
  expect(status).toBe(GRPC_STATUS.OK);
});

describe('Get', () => {
  /** Chunks of a read, and what became of it. */
  function reading(chunks: readonly Uint8Array[]) {
    const seen = { asked: 0, stopped: false };
    store.onGet = async () => ({
      bytes: 0,
      stream: (async function* () {
        try {
          for (const chunk of chunks) {
            seen.asked++;
            yield chunk;
          }
        } finally {
          seen.stopped = true;
        }
      })(),
    });
    return seen;
  }

  it('hands the chunks to the connection as they are', async () => {
    const chunks = [Buffer.alloc(10, 1), Buffer.alloc(2 * 1024 * 1024, 2)];
    reading(chunks);
    const call = start('Get', { mac: MAC, type: 1 });
    expect(await call.ended).toEqual({ status: GRPC_STATUS.OK, message: '' });
    const buffers = new Set<ArrayBufferLike>(chunks.map(({ buffer }) => buffer));
    const passed = call.written.filter(({ buffer }) => buffers.has(buffer));
    expect(passed.reduce((sum, part) => sum + part.length, 0)).toBe(10 + 2 * 1024 * 1024);
  });

  it('reads on only when the connection has room', async () => {
    const seen = reading([1, 2, 3, 4].map((n) => Buffer.alloc(1000, n)));
    const call = fakeCall('/store.Store/Get');
    call.block();
    service.handle(call);
    call.send(frame(encode('GetRequest', { mac: MAC, type: 1 })));
    call.close();
    await settle();
    expect([seen.asked, call.isEnded]).toEqual([1, false]);
    call.drain();
    expect((await call.ended).status).toBe(GRPC_STATUS.OK);
    expect(seen.asked).toBe(4);
  });

  it('stops the read when the host resets it', async () => {
    const seen = reading([1, 2, 3, 4].map((n) => Buffer.alloc(1000, n)));
    const call = fakeCall('/store.Store/Get');
    call.block();
    service.handle(call);
    call.send(frame(encode('GetRequest', { mac: MAC, type: 1 })));
    call.close();
    await settle();
    call.reset();
    await service.end();
    expect(seen).toEqual({ asked: 1, stopped: true });
  });

  it('passes its signal to the store', async () => {
    let signal: AbortSignal | undefined;
    store.onGet = (given) => {
      signal = given;
      return new Promise((_, reject) => given?.addEventListener('abort', () => reject(given.reason)));
    };
    const call = start('Get', { mac: MAC, type: 1 });
    await settle();
    expect(signal?.aborted).toBe(false);
    call.reset();
    await service.end();
    expect(signal?.aborted).toBe(true);
  });

  it('ends with the error after what came through', async () => {
    store.onGet = async () => ({
      bytes: 5,
      stream: (async function* () {
        yield Buffer.from('abc');
        throw new KlosetError('BLOB_CORRUPT', 'the bytes\nare wrong');
      })(),
    });
    const call = start('Get', { mac: MAC, type: 1 });
    expect(await call.ended).toEqual({
      status: GRPC_STATUS.UNKNOWN,
      message: '[BLOB_CORRUPT] the bytes are wrong.',
    });
    expect(Buffer.concat(call.written).includes('abc')).toBe(true);
  });
});

describe('Put', () => {
  const put = (...messages: Record<string, unknown>[]) => {
    const call = start('Put');
    for (const message of messages) call.send(frame(encode('PutRequest', message)));
    return call;
  };

  it('reaches the store once all has arrived, and not before', async () => {
    const call = put({ mac: MAC, type: 1 }, { chunk: Buffer.from('abc') });
    await settle();
    expect(store.calls).toEqual([]);
    call.close();
    expect((await call.ended).status).toBe(GRPC_STATUS.OK);
    expect(store.calls).toEqual(['put of 3 bytes']);
    // Its memory is the store's now, which may still be writing: see IncomingObject.finish.
    expect(objects.held).toBe(1);
  });

  it('leaves its memory to a store that refuses it, and tells why', async () => {
    store.onPut = () => Promise.reject(new KlosetError('ACCESS_DENIED', 'no quota'));
    const call = put({ mac: MAC, type: 1 }, { chunk: Buffer.from('abc') });
    call.close();
    expect(await call.ended).toEqual({ status: GRPC_STATUS.UNKNOWN, message: '[ACCESS_DENIED] no quota.' });
    // The store releases it once nothing reads it any more: see ObjectStore.
    expect(objects.held).toBe(1);
  });

  it('is cancelled in the store when the host resets it', async () => {
    store.onPut = (signal) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    const call = put({ mac: MAC, type: 1 }, { chunk: Buffer.from('abc') });
    call.close();
    await settle();
    call.reset();
    await service.end();
    expect([call.isEnded, objects.held]).toEqual([false, 1]);
  });

  it('never reaches the store when the host resets it before its end', async () => {
    const call = put({ mac: MAC, type: 1 }, { chunk: Buffer.from('abc') });
    call.reset();
    await service.end();
    expect([store.calls, objects.held]).toEqual([[], 0]);
  });

  it('is read to its end where no store is open', async () => {
    service = new StoreService(
      () => {
        throw new KlosetError('LOCATION_INVALID', 'nowhere');
      },
      () => {},
    );
    const call = put({ mac: MAC, type: 1 }, { chunk: Buffer.from('abc') });
    await settle();
    expect(call.isEnded).toBe(false);
    call.close();
    expect(await call.ended).toEqual({
      status: GRPC_STATUS.INVALID_ARGUMENT,
      message: expect.stringMatching(/no store is open/),
    });
  });
});

describe('the end', () => {
  it('of a store waits until the locks of the host are gone', async () => {
    const released = Promise.withResolvers<void>();
    releasing = () => released.promise;
    const call = start('Close', {});
    await settle();
    expect(call.isEnded).toBe(false);
    released.resolve();
    expect((await call.ended).status).toBe(GRPC_STATUS.OK);
  });

  it('of a store is not in the way of a host whose lock cannot be deleted', async () => {
    releasing = () => Promise.reject(new KlosetError('CONNECTION_LOST', 'the registry is gone'));
    expect((await start('Close', {}).ended).status).toBe(GRPC_STATUS.OK);
  });

  it('of a store is none: plakar deletes a lock after it', async () => {
    await start('Close', {}).ended;
    expect((await start('Delete', { mac: MAC, type: 3 }).ended).status).toBe(GRPC_STATUS.OK);
    expect(closes).toBe(0);
    await service.end();
    expect(closes).toBe(1);
  });

  it('of a host does not keep its lock from being deleted', async () => {
    const signals: unknown[] = [];
    store.delete = async (_ref, options) => {
      signals.push(options?.signal);
      await settle();
      store.calls.push('deleted');
    };
    const calls = [start('Delete', { mac: MAC, type: 3 }), start('Delete', { mac: MAC, type: 1 })];
    await Promise.resolve();
    for (const call of calls) call.reset();
    await service.end();
    expect(signals).toEqual([undefined, calls[1]?.signal]);
    expect(store.calls).toEqual(['deleted', 'deleted']);
  });

  it('comes after the calls under way', async () => {
    const deletion = Promise.withResolvers<void>();
    store.onDelete = () => deletion.promise;
    const call = start('Delete', { mac: MAC, type: 3 });
    const ended = service.end();
    await settle();
    expect(closes).toBe(0);
    deletion.resolve();
    await ended;
    expect([closes, call.isEnded]).toEqual([1, true]);
  });

  it('comes after a deletion that a host sends after Close, and does not wait for', async () => {
    const deletion = Promise.withResolvers<void>();
    const deleted: boolean[] = [];
    store.onDelete = async (signal) => {
      await deletion.promise;
      deleted.push(!signal?.aborted);
    };
    await start('Close', {}).ended;
    const call = start('Delete', { mac: MAC, type: 3 });
    await settle();
    call.reset();
    const ended = service.end();
    deletion.resolve();
    await ended;
    expect([deleted, closes]).toEqual([[true], 1]);
  });

  it('does not wait for a host that has gone in the middle of a request', async () => {
    const call = start('Delete');
    call.reset();
    await service.end();
    expect(closes).toBe(1);
  });
});

it('a defect is told to the host in a line, and to the user with the place where it is', async () => {
  store.onDelete = () => Promise.reject(new TypeError('x is not a function'));
  const { status, message } = await start('Delete', { mac: MAC, type: 3 }).ended;
  expect([status, message]).toEqual([GRPC_STATUS.INTERNAL, '[INTERNAL] x is not a function.']);
  expect(log).toEqual([expect.stringMatching(/TypeError: x is not a function\n\s+at .*storeService\.test/)]);
});

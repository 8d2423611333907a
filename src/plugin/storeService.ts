import { cancelled, isKlosetError, KlosetError } from '../errors.ts';
import { forEachMac } from '../store/macList.ts';
import type { Backend, OpenBackend } from './backend.ts';
import { endWithError } from './callErrors.ts';
import { parseOptions } from './options.ts';
import { PutRequest } from './putRequest.ts';
import {
  createRequest,
  emptyRequest,
  initRequest,
  listRequest,
  objectRequest,
  type RequestDecoder,
} from './storeRequests.ts';
import {
  chunkResponses,
  emptyResponse,
  initResponse,
  ListResponse,
  numberResponse,
  openResponse,
} from './storeResponses.ts';
import { type Call, type CallHandler, GRPC_STATUS } from './transport.ts';
import { receiveMessage } from './unaryRequest.ts';

type Method = (call: Call) => Promise<void>;

/** How long a ping waits for a registry that has answered before, in milliseconds. */
const PING_PATIENCE_MS = 10_000;

/** How long the answer to Close waits for a registry to delete a lock, in milliseconds: the host can do nothing about it. */
const RELEASE_PATIENCE_MS = 5000;

const MODE_WRITE = 2;
const MODE_READ = 4;
// Asking every manifest for its size is a request per object, and the host only shows the sum.
const SIZE_UNKNOWN = -1;

/** The service `store.Store`: the calls of one host on one store. */
export class StoreService {
  readonly #openBackend: OpenBackend;
  readonly #log: (line: string) => void;
  readonly #methods: Readonly<Record<string, Method>>;
  readonly #running = new Set<Promise<void>>();
  #backend: Backend | undefined;

  /** @param log takes remarks for the user, and what the host would hide */
  constructor(openBackend: OpenBackend, log: (line: string) => void) {
    this.#openBackend = openBackend;
    this.#log = log;
    this.#methods = {
      '/store.Store/Init': (call) => this.#init(call),
      '/store.Store/Create': (call) =>
        this.#unary(call, createRequest(), async (config) => {
          await this.#store().create(config, { signal: call.signal });
          return emptyResponse();
        }),
      '/store.Store/Open': (call) =>
        this.#unary(call, emptyRequest(), async () =>
          openResponse(await this.#store().open({ signal: call.signal })),
        ),
      '/store.Store/Ping': (call) => this.#unary(call, emptyRequest(), () => this.#ping(call)),
      '/store.Store/Close': (call) =>
        this.#unary(call, emptyRequest(), async () => {
          await this.#releaseLocks(call.signal);
          return emptyResponse();
        }),
      '/store.Store/Mode': (call) =>
        this.#unary(call, emptyRequest(), async () => numberResponse(MODE_READ | MODE_WRITE)),
      '/store.Store/Size': (call) =>
        this.#unary(call, emptyRequest(), async () => numberResponse(SIZE_UNKNOWN)),
      '/store.Store/List': (call) => this.#list(call),
      '/store.Store/Put': (call) => this.#put(call),
      '/store.Store/Get': (call) => this.#get(call),
      '/store.Store/Delete': (call) =>
        this.#unary(call, objectRequest(), async ({ ref }) => {
          // A host that ends while its lock is deleted wants it gone all the same: it would keep others out.
          await this.#store().delete(ref, ref.type === 'lock' ? {} : { signal: call.signal });
          return emptyResponse();
        }),
    };
  }

  /** Takes the calls of a connection. */
  readonly handle: CallHandler = (call) => {
    const method = Object.hasOwn(this.#methods, call.path) ? this.#methods[call.path] : undefined;
    const running = (method ?? unknownMethod)(call)
      .catch((thrown) => {
        const error = endWithError(call, thrown);
        // The host is told the message alone; where a defect sits shows in its stack.
        if (error.code === 'INTERNAL')
          this.#log(error.cause instanceof Error ? (error.cause.stack ?? '') : error.message);
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  };

  /**
   * The host is gone: ends the store once the calls under way have come to their ends. Those that were aborted have
   * upload sessions to cancel, and need its connections for that.
   *
   * @throws KlosetError
   */
  async end(): Promise<void> {
    await Promise.all(this.#running);
    await this.#backend?.close();
  }

  /**
   * plakar deletes its lock from a thread, which may come after the call Close, or never: whoever waits for the answer
   * shall find no lock of a command that has ended. What cannot be deleted now, the end tries again and tells.
   */
  async #releaseLocks(signal: AbortSignal): Promise<void> {
    const patience = AbortSignal.timeout(RELEASE_PATIENCE_MS);
    await this.#backend?.releaseLocks(AbortSignal.any([signal, patience])).catch(() => {});
  }

  async #init(call: Call): Promise<void> {
    await this.#unary(call, initRequest(), async ({ config }) => {
      if (this.#backend) throw new KlosetError('REQUEST_INVALID', 'the store is open already');
      const { location, settings, remarks } = parseOptions(config);
      for (const remark of remarks) this.#log(remark);
      this.#backend = this.#openBackend(location, settings, this.#log);
      return initResponse(this.#backend.identity);
    });
  }

  async #ping(call: Call): Promise<Uint8Array[]> {
    const patience = AbortSignal.timeout(PING_PATIENCE_MS);
    // The cheapest request that shows whether the registry answers and lets us in; no store is no failure.
    await this.#store()
      .open({ signal: AbortSignal.any([call.signal, patience]) })
      .catch((error) => {
        if (isKlosetError(error, 'STORE_MISSING')) return;
        if (!patience.aborted || call.signal.aborted) throw error;
        // Anything else waits until a registry is back; the host asks how it is now.
        throw new KlosetError('REGISTRY_UNREACHABLE', `no answer for ${PING_PATIENCE_MS / 1000} s`, {
          remedy: 'Check host and port, and that the registry runs.',
        });
      });
    return emptyResponse();
  }

  async #list(call: Call): Promise<void> {
    await this.#unary(call, listRequest(), async (type) => {
      const response = new ListResponse();
      await forEachMac(this.#store().list(type, { signal: call.signal }), (mac) => response.add(mac));
      return response.finish(type);
    });
  }

  async #put(call: Call): Promise<void> {
    const request = new PutRequest(call, () => this.#open().receive());
    call.receive(request);
    const object = await request.arrived;
    // The store gives the memory back, also where the put fails: a put that was cut off may still be sending from it.
    await this.#store().put(object.ref, object.source, { signal: call.signal });
    this.#answer(call, numberResponse(object.bytes));
  }

  async #get(call: Call): Promise<void> {
    const { ref, range } = await receiveMessage(call, objectRequest());
    const { signal } = call;
    // An empty range is no range of a registry, and no error of the host.
    if (range?.length === 0) return call.end(GRPC_STATUS.OK);
    const content = await this.#store().get(ref, range ? { range, signal } : { signal });
    for await (const chunk of content.parts ?? content.stream) {
      for (const message of chunkResponses(chunk)) {
        const room = call.write(message);
        if (room) await room;
        if (signal.aborted) throw cancelled(signal.reason);
      }
    }
    call.end(GRPC_STATUS.OK);
  }

  async #unary<T>(
    call: Call,
    decoder: RequestDecoder<T>,
    run: (request: T) => Promise<Uint8Array[]>,
  ): Promise<void> {
    const request = await receiveMessage(call, decoder);
    this.#answer(call, await run(request));
  }

  #answer(call: Call, message: Uint8Array[]): void {
    call.write(message);
    call.end(GRPC_STATUS.OK);
  }

  #store(): Backend['store'] {
    return this.#open().store;
  }

  #open(): Backend {
    if (this.#backend) return this.#backend;
    throw new KlosetError('REQUEST_INVALID', 'no store is open: the host has not called Init');
  }
}

async function unknownMethod(call: Call): Promise<void> {
  call.receive({ data: (bytes) => call.credit(bytes.length), end: () => {} });
  throw new KlosetError('REQUEST_UNSUPPORTED', `the plugin does not know the call ${call.path}`, {
    remedy: 'This Plakar may be newer than the plugin: look for a newer version of the plugin.',
  });
}

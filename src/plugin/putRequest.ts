import type { IncomingObject } from '../engine/incomingObject.ts';
import type { ByteSource } from '../engine/source.ts';
import { cancelled, isKlosetError } from '../errors.ts';
import { describeRef, type ObjectRef } from '../store/objectNames.ts';
import { GrpcFrames, type MessageSink } from './grpcFrames.ts';
import { type Delivery, type FieldSink, ProtoReader } from './protoReader.ts';
import { refOf } from './storeRequests.ts';
import { type Call, type CallReceiver, INITIAL_WINDOW_BYTES } from './transport.ts';

/** An object that a host has sent to the end. */
export interface ArrivedObject {
  readonly ref: ObjectRef;
  readonly source: ByteSource;
  readonly bytes: number;
}

const FIELD = { mac: 1, type: 2, chunk: 3 } as const;

// Room is asked for while the host can still send: half a window lasts longer than a grant of free memory takes.
const LOW_WATER_BYTES = INITIAL_WINDOW_BYTES / 2;

// A host that sends tiny chunks uses up its window with what stands between them.
const MAX_OVERHEAD_BYTES = INITIAL_WINDOW_BYTES / 8;

/**
 * Takes in a Put. The host's chunks go from the connection's buffer into the object's memory; the host is given
 * credit for what the object has room for and no more, so that a slow registry slows the host.
 *
 * A Put that fails is still read to its end: plakar that cannot send shows "failed to send chunk: EOF" and throws
 * the status away.
 */
export class PutRequest implements CallReceiver {
  readonly #call: Call;
  readonly #receive: () => IncomingObject;
  readonly #frames: GrpcFrames;
  readonly #arrived = Promise.withResolvers<ArrivedObject>();
  /** Stops waiting for room: all has arrived, or nothing more is wanted. */
  readonly #enough = new AbortController();
  #object: IncomingObject | undefined;
  #growing: Promise<void> | undefined;
  #failure: unknown;
  #failed = false;
  #mac: Uint8Array | undefined;
  #type = 0;
  #chunkBytes = 0;
  /** Bytes of the call that were no chunk, and that the host has no new credit for yet. */
  #overheadBytes = 0;

  constructor(call: Call, receive: () => IncomingObject) {
    this.#call = call;
    this.#receive = receive;
    const reader = new ProtoReader(this.#fields());
    this.#frames = new GrpcFrames(this.#messages(reader));
    call.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * Resolves when the host has sent all. Rejects when it has sent all of what cannot be stored, or is gone.
   *
   * @throws KlosetError REQUEST_INVALID, REQUEST_UNSUPPORTED, MESSAGE_TOO_LARGE, CANCELLED, and those of
   * {@link IncomingObject.grow}
   */
  get arrived(): Promise<ArrivedObject> {
    return this.#arrived.promise;
  }

  data(bytes: Uint8Array): void {
    if (this.#failed) {
      this.#call.credit(bytes.length);
      return;
    }
    const before = this.#chunkBytes;
    try {
      this.#frames.push(bytes);
      this.#overheadBytes += bytes.length - (this.#chunkBytes - before);
      this.#keepRoom();
    } catch (error) {
      this.#fail(error);
    }
  }

  end(): void {
    void this.#finish();
  }

  async #finish(): Promise<void> {
    this.#enough.abort();
    await this.#growing;
    this.#call.signal.removeEventListener('abort', this.#onAbort);
    try {
      if (this.#call.signal.aborted) throw cancelled(this.#call.signal.reason);
      if (this.#failed) throw this.#failure;
      this.#frames.end();
      const ref = refOf(this.#mac, this.#type);
      const object = this.#open();
      this.#arrived.resolve({
        ref,
        source: object.finish(describeRef(ref)),
        bytes: this.#chunkBytes,
      });
    } catch (error) {
      this.#object?.discard();
      this.#arrived.reject(error);
    }
  }

  readonly #onAbort = (): void => {
    this.#enough.abort();
    this.#failed = true;
    this.#object?.discard();
    this.#arrived.reject(cancelled(this.#call.signal.reason));
  };

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#failure = error;
    this.#enough.abort();
    this.#object?.discard();
    // The host may have used up its credit: without more it would never come to its end.
    this.#call.credit(INITIAL_WINDOW_BYTES);
  }

  #open(): IncomingObject {
    if (!this.#object) {
      this.#object = this.#receive();
      const moreBytes = this.#object.roomBytes - INITIAL_WINDOW_BYTES;
      if (moreBytes > 0) this.#call.credit(moreBytes);
    }
    return this.#object;
  }

  #keepRoom(): void {
    if (this.#overheadBytes >= MAX_OVERHEAD_BYTES) this.#credit(0);
    const object = this.#object;
    if (!object || this.#growing || object.roomBytes >= LOW_WATER_BYTES) return;
    this.#growing = this.#grow(object).finally(() => {
      this.#growing = undefined;
    });
  }

  #credit(grownBytes: number): void {
    this.#call.credit(grownBytes + this.#overheadBytes);
    this.#overheadBytes = 0;
  }

  async #grow(object: IncomingObject): Promise<void> {
    try {
      while (!this.#enough.signal.aborted && object.roomBytes < LOW_WATER_BYTES) {
        const grownBytes = await object.grow(this.#enough.signal);
        if (this.#enough.signal.aborted) return;
        this.#credit(grownBytes);
      }
    } catch (error) {
      if (this.#enough.signal.aborted && isKlosetError(error, 'CANCELLED')) return;
      this.#fail(error);
    }
  }

  #fields(): FieldSink {
    return {
      varint: (field, value) => {
        if (field === FIELD.type) this.#type = value;
      },
      delivery: (field): Delivery =>
        field === FIELD.chunk ? 'stream' : field === FIELD.mac ? 'collect' : 'skip',
      content: (_, bytes) => {
        this.#mac = bytes;
      },
      piece: (_, bytes) => {
        this.#open().write(bytes);
        this.#chunkBytes += bytes.length;
      },
    };
  }

  #messages(reader: ProtoReader): MessageSink {
    return {
      begin: (lengthBytes) => reader.begin(lengthBytes),
      piece: (bytes) => reader.piece(bytes),
      end: () => {
        reader.end();
        // What the object is called stands in the first message: no use to take in what has no name.
        if (this.#frames.messages === 1) refOf(this.#mac, this.#type);
      },
    };
  }
}

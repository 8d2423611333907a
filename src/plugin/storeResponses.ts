import { KlosetError } from '../errors.ts';
import { framed, MAX_MESSAGE_BYTES } from './grpcFrames.ts';
import { bytesField, delimitedHead, intField, stringField } from './protoWriter.ts';

/** What the host shows of a store. See store.proto. */
export interface StoreIdentity {
  readonly origin: string;
  readonly type: string;
  readonly root: string;
}

/** Bytes of a message with content: well below the host's limit, large enough to cost nothing per message. */
const CHUNK_BYTES = 1024 * 1024;
const MAC_BYTES = 32;

export function emptyResponse(): Uint8Array[] {
  return framed([]);
}

export function initResponse(identity: StoreIdentity): Uint8Array[] {
  return framed([
    ...stringField(1, identity.origin),
    ...stringField(2, identity.type),
    ...stringField(3, identity.root),
  ]);
}

export function openResponse(config: Uint8Array): Uint8Array[] {
  return framed(bytesField(1, config));
}

/** The answers of Mode, Size and Put: one number. */
export function numberResponse(value: number): Uint8Array[] {
  return framed([intField(1, value)]);
}

/** Messages of a Get for bytes of the object, by reference. */
export function* chunkResponses(bytes: Uint8Array): Generator<Uint8Array[], void, void> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    yield framed(bytesField(1, bytes.subarray(at, at + CHUNK_BYTES)));
  }
}

/** The MACs of a List, put together within the one message that the protocol has for them. */
export class ListResponse {
  static readonly #head = delimitedHead(1, MAC_BYTES);
  /** MACs that fit: 123,361. */
  static readonly maxMacs = Math.floor(MAX_MESSAGE_BYTES / (ListResponse.#head.length + MAC_BYTES));
  #message: Buffer = Buffer.alloc(0);
  #count = 0;

  /** @param mac 64 hex digits */
  add(mac: string): void {
    this.#count++;
    if (this.#count > ListResponse.maxMacs) return;
    const entryBytes = ListResponse.#head.length + MAC_BYTES;
    const at = (this.#count - 1) * entryBytes;
    if (at + entryBytes > this.#message.length) {
      const larger = Buffer.alloc(Math.max(64 * entryBytes, this.#message.length * 2));
      larger.set(this.#message);
      this.#message = larger;
    }
    this.#message.set(ListResponse.#head, at);
    this.#message.write(mac, at + ListResponse.#head.length, 'hex');
  }

  /** @throws KlosetError MESSAGE_TOO_LARGE when the host would refuse the message */
  finish(what: string): Uint8Array[] {
    if (this.#count > ListResponse.maxMacs) {
      throw new KlosetError(
        'MESSAGE_TOO_LARGE',
        `the store has ${this.#count} objects of type ${what}, and Plakar takes a list of at most ${ListResponse.maxMacs}`,
        { remedy: 'Remove old snapshots and run "plakar maintenance", or go on in a second store.' },
      );
    }
    return framed([this.#message.subarray(0, this.#count * (ListResponse.#head.length + MAC_BYTES))]);
  }
}

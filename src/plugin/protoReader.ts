import { KlosetError } from '../errors.ts';
import type { MessageSink } from './grpcFrames.ts';

/** What becomes of a length-delimited field: one piece of memory, pieces as they arrive, or nothing. */
export type Delivery = 'collect' | 'stream' | 'skip';

/** Who takes the fields of a message. Fields that it does not know are skipped, whatever they hold. */
export interface FieldSink {
  /**
   * A varint as an unsigned number; above 2^53 it is not exact, which is enough to refuse it. Negative numbers
   * arrive as 2^64 less their amount.
   */
  varint(field: number, value: number): void;
  /** Asked at the start of a length-delimited field. */
  delivery(field: number): Delivery;
  /** The content of a collected field, as memory of its own. */
  content(field: number, bytes: Uint8Array): void;
  /** A piece of a streamed field; the view is valid during this call only. */
  piece(field: number, bytes: Uint8Array): void;
}

/** Bytes that the collected fields of one message may have together: a store's configuration is some hundred. */
export const MAX_COLLECTED_BYTES = 1024 * 1024;

const VARINT_MAX_BYTES = 10;
const MAX_FIELD = 2 ** 29 - 1;
const MAX_GROUP_DEPTH = 64;

const WIRE = { varint: 0, fixed64: 1, delimited: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

type State = 'tag' | 'varint' | 'length' | 'content' | 'skip';

/** Reads protobuf messages one after another, in whatever pieces they arrive. */
export class ProtoReader implements MessageSink {
  readonly #fields: FieldSink;
  #state: State = 'tag';
  /** Bytes of the message that have not arrived. */
  #messageLeft = 0;
  // The number that is being put together.
  #value = 0;
  #scale = 1;
  #digits = 0;
  #field = 0;
  /** Bytes of the field that have not arrived. */
  #fieldLeft = 0;
  #collectedBytes = 0;
  #delivery: Delivery = 'skip';
  #content: Uint8Array = new Uint8Array();
  readonly #groups: number[] = [];

  constructor(fields: FieldSink) {
    this.#fields = fields;
  }

  begin(lengthBytes: number): void {
    this.#messageLeft = lengthBytes;
    this.#collectedBytes = 0;
  }

  /** @throws KlosetError REQUEST_INVALID, MESSAGE_TOO_LARGE */
  piece(bytes: Uint8Array): void {
    this.#messageLeft -= bytes.length;
    if (this.#messageLeft < 0) throw malformed('it is longer than was announced');
    for (let at = 0; at < bytes.length; ) {
      if (this.#state === 'content' || this.#state === 'skip') {
        at += this.#take(bytes.subarray(at, at + this.#fieldLeft));
      } else {
        this.#digit(bytes[at++] as number, this.#messageLeft + bytes.length - at);
      }
    }
  }

  /** @throws KlosetError REQUEST_INVALID when the message ends within a field */
  end(): void {
    if (this.#state !== 'tag' || this.#digits > 0) throw malformed('it ends within a field');
    if (this.#groups.length > 0) throw malformed('it ends within a group');
  }

  /** @param after bytes of the message behind this one */
  #digit(byte: number, after: number): void {
    if (++this.#digits > VARINT_MAX_BYTES) throw malformed('a number has more than ten bytes');
    this.#value += (byte & 0x7f) * this.#scale;
    this.#scale *= 128;
    if (byte >= 0x80) return;
    const value = this.#value;
    this.#value = 0;
    this.#scale = 1;
    this.#digits = 0;
    if (this.#state === 'tag') this.#tag(value, after);
    else if (this.#state === 'length') this.#length(value, after);
    else {
      this.#state = 'tag';
      if (this.#groups.length === 0) this.#fields.varint(this.#field, value);
    }
  }

  #tag(tag: number, after: number): void {
    const wire = tag % 8;
    this.#field = (tag - wire) / 8;
    if (this.#field < 1 || this.#field > MAX_FIELD) throw malformed('a field has an impossible number');
    switch (wire) {
      case WIRE.varint:
        this.#state = 'varint';
        return;
      case WIRE.delimited:
        this.#state = 'length';
        return;
      case WIRE.fixed64:
        this.#skip(8, after);
        return;
      case WIRE.fixed32:
        this.#skip(4, after);
        return;
      case WIRE.groupStart:
        if (this.#groups.push(this.#field) > MAX_GROUP_DEPTH)
          throw malformed('its groups are nested too deep');
        return;
      case WIRE.groupEnd:
        if (this.#groups.pop() !== this.#field) throw malformed('a group ends that was not begun');
        return;
      default:
        throw malformed(`field ${this.#field} is of the unknown kind ${wire}`);
    }
  }

  #skip(bytes: number, after: number): void {
    if (bytes > after) throw malformed('it ends within a field');
    this.#delivery = 'skip';
    this.#fieldLeft = bytes;
    this.#state = 'skip';
  }

  #length(bytes: number, after: number): void {
    if (bytes > after) throw malformed(`field ${this.#field} is longer than its message`);
    this.#delivery = this.#groups.length > 0 ? 'skip' : this.#fields.delivery(this.#field);
    this.#fieldLeft = bytes;
    this.#state = 'content';
    if (this.#delivery === 'collect') {
      this.#collectedBytes += bytes;
      if (this.#collectedBytes > MAX_COLLECTED_BYTES) {
        throw new KlosetError(
          'MESSAGE_TOO_LARGE',
          `expected at most ${MAX_COLLECTED_BYTES} bytes in the fields of a message, got ${this.#collectedBytes}`,
        );
      }
      this.#content = new Uint8Array(bytes);
    }
    if (bytes === 0) this.#finishField();
  }

  #take(bytes: Uint8Array): number {
    if (this.#delivery === 'stream') this.#fields.piece(this.#field, bytes);
    else if (this.#delivery === 'collect') this.#content.set(bytes, this.#content.length - this.#fieldLeft);
    this.#fieldLeft -= bytes.length;
    if (this.#fieldLeft === 0) this.#finishField();
    return bytes.length;
  }

  #finishField(): void {
    this.#state = 'tag';
    if (this.#delivery !== 'collect') return;
    const content = this.#content;
    this.#content = new Uint8Array();
    this.#fields.content(this.#field, content);
  }
}

/** Reads a message that is whole, for example one inside another. */
export function readMessage(bytes: Uint8Array, fields: FieldSink): void {
  const reader = new ProtoReader(fields);
  reader.begin(bytes.length);
  reader.piece(bytes);
  reader.end();
}

function malformed(reason: string): KlosetError {
  return new KlosetError('REQUEST_INVALID', `the message cannot be read: ${reason}`);
}

import type { PlaceBytes } from '../transport.ts';
import { ChunkedBody } from './chunkedBody.ts';
import { closedByPeer } from './closedByPeer.ts';
import { ReceivedBody } from './receivedBody.ts';
import { NotHttpError, parseResponseHead, type ResponseHead } from './responseHead.ts';

/** As much as Node's own client takes. */
const HEAD_BYTES = 16 * 1024;
/** Of memory of its own, where the reader has none: what a read of a full socket buffer brings, a few times over. */
const PIECE_BYTES = 256 * 1024;
/** Less room than this is left unused: each read costs a turn of the event loop, however little it brings. */
const LEAST_BYTES = 32 * 1024;
const END_OF_HEAD = '\r\n\r\n';

/** An answer whose body is still arriving. */
export interface ArrivingAnswer {
  readonly head: ResponseHead;
  readonly body: ReceivedBody;
}

/** What is known beforehand of an answer. */
export interface AnswerExpected {
  readonly method: string;
  readonly place: PlaceBytes | undefined;
  /** Whether a part was asked for: a whole blob in its stead does not fit the reader's memory. */
  readonly ranged: boolean;
}

/** What the connection does for an answer. */
export interface AnswerHooks {
  /** The socket is to be read again. */
  onResume(): void;
  /** The answer is over; `rest` bytes after it belong to nobody. */
  onDone(rest: number): void;
  /** The reader has left in the middle. */
  onGivenUp(): void;
}

/**
 * The answer to one request, as its bytes come. They are read straight into the memory that the reader has for them, or
 * else into pieces that nobody writes to again; only what comes together with the head, or in chunks, is copied.
 */
export class IncomingAnswer {
  readonly answer: Promise<ArrivingAnswer>;
  readonly #expected: AnswerExpected;
  readonly #hooks: AnswerHooks;
  #settle!: { resolve(answer: ArrivingAnswer): void; reject(error: unknown): void };
  #headText = '';
  #head: ResponseHead | undefined;
  #body: ReceivedBody | undefined;
  #chunked: ChunkedBody | undefined;
  /** Bytes of the body that have come, and those that are still to come where that is known. */
  #at = 0;
  #rest = Number.POSITIVE_INFINITY;
  #piece: Uint8Array = new Uint8Array();
  /** Bytes that have come after the last one of the answer. */
  #beyond = 0;
  /** Bytes that have come and have no place yet. */
  #carry: Uint8Array | undefined;
  #waitsForRoom = false;
  #over = false;

  constructor(hooks: AnswerHooks, expected: AnswerExpected) {
    this.#hooks = hooks;
    this.#expected = expected;
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  get keepAlive(): boolean {
    return this.#head?.keepAlive ?? false;
  }

  get keepAliveMs(): number | undefined {
    return this.#head?.keepAliveMs;
  }

  /** Whether the socket is to be left alone for now. */
  get paused(): boolean {
    if (this.#over || !this.#body) return false;
    return this.#waitsForRoom || (!this.#places && this.#body.isFull);
  }

  /** Memory that the next bytes may be read into and stay in; none where they have to be looked at first. */
  memory(): Uint8Array | undefined {
    if (this.#over || this.#head?.framing.kind !== 'length') return undefined;
    return this.#room();
  }

  /** Bytes that were read into what {@link memory} gave. */
  arrived(bytes: Uint8Array): void {
    this.#took(bytes);
  }

  /** Bytes that were read elsewhere, and have to be copied. @throws NotHttpError */
  received(bytes: Uint8Array): void {
    const content = this.#head ? bytes : this.#readHead(bytes);
    if (content && content.length > 0 && !this.#over) this.#readBody(content);
  }

  /** The connection has ended. */
  ended(error?: unknown): void {
    if (this.#over) return;
    if (this.#head?.framing.kind === 'close' && error === undefined) {
      this.#finish(0);
      return;
    }
    // All has come, and waits for its place.
    if (this.#carry?.length === this.#rest) return;
    this.fail(error ?? closedByPeer());
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle.reject(error);
    this.#body?.fail(error);
  }

  #readHead(bytes: Uint8Array): Uint8Array | undefined {
    this.#headText += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    for (;;) {
      const end = this.#headText.indexOf(END_OF_HEAD);
      if (end < 0 && this.#headText.length > HEAD_BYTES) throw new NotHttpError('endless headers');
      // A port that speaks something else says so in its first bytes, and may then wait for us.
      if (end < 0 && !'HTTP/1.'.startsWith(this.#headText.slice(0, 7)))
        throw new NotHttpError('no status line');
      if (end < 0) return undefined;
      const head = parseResponseHead(this.#headText.slice(0, end), this.#expected.method);
      const rest = this.#headText.slice(end + END_OF_HEAD.length);
      this.#headText = rest;
      // Interim answers come before the one that counts.
      if (head.status < 200) continue;
      this.#headText = '';
      this.#begin(head, rest.length);
      return bytes.subarray(bytes.length - rest.length);
    }
  }

  #begin(head: ResponseHead, come: number): void {
    this.#head = head;
    const body = new ReceivedBody({
      onDrain: () => this.#hooks.onResume(),
      onGivenUp: () => {
        this.#over = true;
        this.#hooks.onGivenUp();
      },
    });
    this.#body = body;
    if (head.framing.kind === 'chunked') this.#chunked = new ChunkedBody();
    if (head.framing.kind === 'length') this.#rest = head.framing.bytes;
    this.#settle.resolve({ head, body });
    if (this.#rest === 0) this.#finish(come);
  }

  #readBody(bytes: Uint8Array): void {
    if (this.#chunked) {
      const used = this.#chunked.push(bytes, (content) => this.#body?.push(Uint8Array.from(content)));
      if (this.#chunked.done) this.#finish(bytes.length - used);
      return;
    }
    const mine = bytes.subarray(0, Math.min(bytes.length, this.#rest));
    const beyond = bytes.length - mine.length;
    this.#beyond = beyond;
    this.#copy(mine);
  }

  #copy(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const room = this.#room();
      if (!room) {
        this.#carry = Uint8Array.from(bytes.subarray(done));
        return;
      }
      const part = Math.min(room.length, bytes.length - done);
      room.set(bytes.subarray(done, done + part));
      done += part;
      this.#took(room.subarray(0, part));
    }
  }

  #took(bytes: Uint8Array): void {
    this.#at += bytes.length;
    this.#rest -= bytes.length;
    if (!this.#places) this.#piece = this.#piece.subarray(bytes.length);
    this.#body?.push(bytes);
    if (this.#rest === 0) this.#finish(this.#beyond);
  }

  /** Whether the body goes into the reader's memory. */
  get #places(): boolean {
    const { status, framing } = this.#head ?? {};
    const { place, ranged } = this.#expected;
    if (!place || framing?.kind !== 'length') return false;
    return status === 206 || (status === 200 && !ranged);
  }

  /** Where the next bytes go; nowhere until there is room. */
  #room(): Uint8Array | undefined {
    if (this.#waitsForRoom) return undefined;
    const { place } = this.#expected;
    if (!place || !this.#places) return this.#ownRoom();
    const given = place(this.#at);
    if (given instanceof Uint8Array) return given.subarray(0, Math.min(given.length, this.#rest));
    this.#waitsForRoom = true;
    given.then(
      () => this.#goOn(),
      (error) => {
        this.fail(error);
        this.#hooks.onGivenUp();
      },
    );
    return undefined;
  }

  #ownRoom(): Uint8Array {
    if (this.#piece.length < LEAST_BYTES && this.#piece.length < this.#rest)
      this.#piece = Buffer.allocUnsafeSlow(Math.min(this.#rest, PIECE_BYTES));
    return this.#piece.subarray(0, Math.min(this.#piece.length, this.#rest));
  }

  #goOn(): void {
    this.#waitsForRoom = false;
    if (this.#over) return;
    const carry = this.#carry;
    this.#carry = undefined;
    if (carry) this.#copy(carry);
    if (!this.#waitsForRoom && !this.#over) this.#hooks.onResume();
  }

  #finish(beyond: number): void {
    this.#over = true;
    this.#body?.end();
    this.#hooks.onDone(beyond);
  }
}

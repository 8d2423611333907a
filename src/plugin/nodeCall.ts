import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { asKlosetError, KlosetError } from '../errors.ts';
import { encodeGrpcMessage } from './grpcMessage.ts';
import {
  type Call,
  type CallReceiver,
  GRPC_STATUS,
  type GrpcStatus,
  INITIAL_WINDOW_BYTES,
} from './transport.ts';

const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc' };

/** A call over a stream of `node:http2`. */
export class NodeCall implements Call {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly #stream: ServerHttp2Stream;
  readonly #controller = new AbortController();
  #receiver: CallReceiver | undefined;
  /** What may still be handed to the receiver; below it the stream is read, and reading opens the window. */
  #allowedBytes = INITIAL_WINDOW_BYTES;
  #held: Buffer | undefined;
  #hostDone = false;
  #room: Promise<void> | undefined;
  #ended = false;
  #trailers: Record<string, string> = {};

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#stream = stream;
    this.path = String(headers[':path']);
    const plain = Object.entries(headers).filter(([name]) => !name.startsWith(':'));
    this.headers = Object.fromEntries(plain.map(([name, value]) => [name, String(value)]));
    // A stream that breaks says so by closing, too.
    stream.on('error', () => undefined);
    stream.on('close', () => this.abandon());
    stream.on('wantTrailers', () => {
      stream.sendTrailers(this.#trailers);
      setImmediate(() => this.#stopHost());
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get #over(): boolean {
    return this.#ended || this.signal.aborted;
  }

  receive(receiver: CallReceiver): void {
    this.#receiver = receiver;
    this.#stream.on('data', (bytes: Buffer) => this.#deliver(bytes));
    this.#stream.on('end', () => {
      this.#hostDone = true;
      if (this.#held === undefined && !this.#over) this.guard(() => receiver.end());
    });
  }

  credit(bytes: number): void {
    this.#allowedBytes += bytes;
    const held = this.#held;
    if (held === undefined || this.#over) return;
    this.#held = undefined;
    this.#deliver(held);
    if (this.#held !== undefined) return;
    if (this.#hostDone) this.guard(() => this.#receiver?.end());
    else this.#stream.resume();
  }

  write(parts: readonly Uint8Array[]): Promise<void> | undefined {
    const stream = this.#stream;
    if (this.#over || stream.destroyed) return undefined;
    if (!stream.headersSent) stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    let room = true;
    stream.cork();
    for (const part of parts) if (part.length > 0) room = stream.write(part);
    stream.uncork();
    return room ? undefined : this.#waitForRoom();
  }

  end(status: GrpcStatus, message?: string): void {
    if (this.#over) return;
    this.#ended = true;
    this.#trailers = { 'grpc-status': String(status) };
    if (message) this.#trailers['grpc-message'] = encodeGrpcMessage(message);
    const stream = this.#stream;
    if (stream.destroyed) return;
    if (stream.headersSent) stream.end();
    else {
      stream.respond({ ...RESPONSE_HEADERS, ...this.#trailers }, { endStream: true });
      setImmediate(() => this.#stopHost());
    }
  }

  /** The stream is closed: nobody hears an answer any more. */
  abandon(): void {
    if (this.#over) return;
    this.#controller.abort(new KlosetError('CANCELLED', 'the host cancelled the call or is gone'));
  }

  /** Aborts the call, and tells the host why. */
  cutShort(why: string): void {
    if (this.#over) return;
    this.end(GRPC_STATUS.UNAVAILABLE, why);
    this.#controller.abort(new KlosetError('CANCELLED', why));
  }

  /** Runs code of the service: what it throws fails this call, not the plugin. */
  guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.end(GRPC_STATUS.INTERNAL, asKlosetError(error).message);
    }
  }

  #deliver(bytes: Buffer): void {
    if (this.#over) return;
    const now = bytes.subarray(0, this.#allowedBytes);
    if (now.length < bytes.length) {
      this.#held = bytes.subarray(now.length);
      this.#stream.pause();
    }
    this.#allowedBytes -= now.length;
    if (now.length > 0) this.guard(() => this.#receiver?.data(now));
  }

  /** One promise for all who wait: each pair of listeners would be one more. */
  #waitForRoom(): Promise<void> {
    const stream = this.#stream;
    this.#room ??= new Promise((resolve) => {
      const settle = () => {
        stream.off('drain', settle).off('close', settle);
        this.#room = undefined;
        resolve();
      };
      stream.on('drain', settle).on('close', settle);
    });
    return this.#room;
  }

  /** The trailers have left; what the host still sends is for nobody. */
  #stopHost(): void {
    if (!this.#hostDone) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

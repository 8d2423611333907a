import { asKlosetError, type KlosetError } from '../../errors.ts';
import {
  type Call,
  type CallReceiver,
  GRPC_STATUS,
  type GrpcStatus,
  INITIAL_WINDOW_BYTES,
} from '../transport.ts';
import { OutgoingBody } from './outgoingBody.ts';
import { ReceiveWindow } from './receiveWindow.ts';
import type { RequestHead } from './request.ts';
import type { ResponseBlocks } from './response.ts';

/** What a call asks of its connection. */
export interface CallOwner {
  readonly blocks: ResponseBlocks;
  /** The host may be told of more room for this call. */
  creditDue(call: HostCall): void;
  write(call: HostCall, parts: readonly Uint8Array[]): Promise<void> | undefined;
  /** The call has its trailers. */
  ended(call: HostCall): void;
  /** Forgets the bytes that the call has queued. */
  unqueue(call: HostCall): void;
}

/** One stream of the host, as the service sees it and as the connection drives it. */
export class HostCall implements Call {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly streamId: number;
  readonly window = new ReceiveWindow(INITIAL_WINDOW_BYTES);
  readonly outgoing: OutgoingBody;
  /** The host has sent END_STREAM. */
  hostDone = false;
  /** In the connection's list of calls with credit to tell. */
  creditListed = false;
  readonly #owner: CallOwner;
  readonly #contentLength: number | undefined;
  #receivedBytes = 0;
  #receiver: CallReceiver | undefined;
  #controller: AbortController | undefined;
  #abortReason: KlosetError | undefined;
  #ended = false;

  constructor(owner: CallOwner, streamId: number, head: RequestHead, sendWindowBytes: number) {
    this.#owner = owner;
    this.streamId = streamId;
    this.path = head.path;
    this.headers = head.headers;
    this.#contentLength = head.contentLength;
    this.outgoing = new OutgoingBody(streamId, sendWindowBytes);
  }

  /** Made when it is asked for: most calls are answered without one. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** True when the service has nothing more to say or to hear. */
  get over(): boolean {
    return this.#ended || this.#abortReason !== undefined;
  }

  receive(receiver: CallReceiver): void {
    this.#receiver = receiver;
  }

  credit(bytes: number): void {
    if (this.hostDone || this.over) return;
    this.window.grant(bytes);
    if (this.window.due) this.#owner.creditDue(this);
  }

  write(parts: readonly Uint8Array[]): Promise<void> | undefined {
    if (this.over) return undefined;
    return this.#owner.write(this, parts);
  }

  end(status: GrpcStatus, message?: string): void {
    if (this.over) return;
    this.#ended = true;
    const { blocks } = this.#owner;
    this.outgoing.trailers = (headersSent) =>
      headersSent ? blocks.trailers(status, message) : blocks.trailersOnly(status, message);
    this.#owner.ended(this);
  }

  /** The host will not hear an answer any more. */
  abort(reason: KlosetError): void {
    if (this.over) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  /** Aborts the call, and ends it for the host with UNAVAILABLE. */
  cutShort(reason: KlosetError, message: string): void {
    if (this.over) return;
    this.#owner.unqueue(this);
    this.end(GRPC_STATUS.UNAVAILABLE, message);
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  /** Bytes of the request. False when they are more than the host declared. */
  deliver(bytes: Buffer): boolean {
    this.#receivedBytes += bytes.length;
    if (this.#contentLength !== undefined && this.#receivedBytes > this.#contentLength) return false;
    if (!this.over) this.guard(() => this.#receiver?.data(bytes));
    return true;
  }

  /** The request is whole. False when it is shorter than the host declared. */
  finish(): boolean {
    if (this.#contentLength !== undefined && this.#receivedBytes !== this.#contentLength) return false;
    this.hostDone = true;
    if (!this.over) this.guard(() => this.#receiver?.end());
    return true;
  }

  /** Runs code of the service: what it throws fails this call, not the plugin. */
  guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.end(GRPC_STATUS.INTERNAL, asKlosetError(error).message);
    }
  }
}

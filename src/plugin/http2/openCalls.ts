import { KlosetError } from '../../errors.ts';
import { resetStream, windowUpdate } from './frames.ts';
import { type CallOwner, HostCall } from './hostCall.ts';
import { type BatchWriter, Output, type OutputOwner } from './output.ts';
import { ConnectionFault, H2_ERROR, type H2ErrorCode, nameOf } from './protocol.ts';
import type { RequestHead } from './request.ts';
import { ResetBudget } from './resetBudget.ts';
import { ResponseBlocks } from './response.ts';
import { StreamHistory } from './streamHistory.ts';

/** Answers to PING and SETTINGS, and resets, that wait for a host which does not read. */
const MAX_CONTROL_BYTES = 1024 * 1024;

/** The calls that are open, and every way in which one ends. */
export class OpenCalls implements CallOwner, OutputOwner, Iterable<HostCall> {
  readonly blocks = new ResponseBlocks();
  readonly output: Output;
  readonly history = new StreamHistory();
  readonly #calls = new Map<number, HostCall>();
  readonly #resets: ResetBudget;
  readonly #onFewer: () => void;
  #credits: HostCall[] = [];

  /** @param onFewer is called whenever a call has ended */
  constructor(writer: BatchWriter, onFewer: () => void, nowMs: () => number) {
    this.output = new Output(writer, this, this.blocks);
    this.#resets = new ResetBudget(nowMs);
    this.#onFewer = onFewer;
  }

  get size(): number {
    return this.#calls.size;
  }

  [Symbol.iterator](): Iterator<HostCall> {
    return this.#calls.values();
  }

  get(streamId: number): HostCall | undefined {
    return this.#calls.get(streamId);
  }

  open(streamId: number, head: RequestHead, sendWindowBytes: number): HostCall {
    const call = new HostCall(this, streamId, head, sendWindowBytes);
    this.#calls.set(streamId, call);
    return call;
  }

  /** The host is not told: it has reset the call itself, or is gone. */
  forget(call: HostCall, why: string): void {
    this.#calls.delete(call.streamId);
    this.output.drop(call.outgoing);
    call.abort(new KlosetError('CANCELLED', why));
    this.#onFewer();
  }

  /** Ends a call because of what the host sent in it. */
  reset(call: HostCall, code: H2ErrorCode): void {
    this.forget(call, `the host broke the rules of HTTP/2 in this call (${nameOf(H2_ERROR, code)})`);
    this.refuse(call.streamId, code);
  }

  /** Tells the host that a stream is not, or no longer, served. */
  refuse(streamId: number, code: H2ErrorCode): void {
    this.history.rememberReset(streamId);
    this.answer(resetStream(streamId, code));
    this.spendReset();
  }

  /** A call came to nothing. @throws ConnectionFault when too many did */
  spendReset(): void {
    if (this.#resets.spend()) return;
    throw new ConnectionFault(H2_ERROR.ENHANCE_YOUR_CALM, 'too many calls that came to nothing');
  }

  /** Queues a frame that the host has asked for. @throws ConnectionFault when it asks without reading */
  answer(frame: Buffer): void {
    this.output.control(frame);
    if (this.output.controlBytes > MAX_CONTROL_BYTES) {
      throw new ConnectionFault(
        H2_ERROR.ENHANCE_YOUR_CALM,
        'the host does not read the answers to its frames',
      );
    }
  }

  creditDue(call: HostCall): void {
    if (call.creditListed) return;
    call.creditListed = true;
    this.#credits.push(call);
    this.output.wake();
  }

  write(call: HostCall, parts: readonly Uint8Array[]): Promise<void> | undefined {
    return this.output.write(call.outgoing, parts);
  }

  ended(call: HostCall): void {
    this.output.offer(call.outgoing);
  }

  unqueue(call: HostCall): void {
    this.output.unqueue(call.outgoing);
  }

  /** Nothing is sent any more, and nobody waits for it. */
  close(): void {
    this.output.stop();
    for (const call of this.#calls.values()) this.output.drop(call.outgoing);
    this.#calls.clear();
  }

  beforeFlush(): void {
    if (this.#credits.length === 0) return;
    for (const call of this.#credits) {
      call.creditListed = false;
      if (call.hostDone || call.over || !call.window.due) continue;
      this.output.control(windowUpdate(call.streamId, call.window.takeIncrement()));
    }
    this.#credits = [];
  }

  sent(streamId: number): Buffer | undefined {
    const call = this.#calls.get(streamId);
    this.#calls.delete(streamId);
    this.#onFewer();
    if (call === undefined || call.hostDone) return undefined;
    this.history.rememberReset(streamId);
    return resetStream(streamId, H2_ERROR.NO_ERROR);
  }
}

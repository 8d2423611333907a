import { KlosetError } from '../../errors.ts';
import { type CallHandler, INITIAL_WINDOW_BYTES } from '../transport.ts';
import { FrameDispatch, type HostEvents } from './frameDispatch.ts';
import { FrameParser } from './frameParser.ts';
import { goAway, pingAck, SETTINGS_ACK, settingsFrame, windowUpdate } from './frames.ts';
import type { HeaderBlock } from './headerBlock.ts';
import type { HostCall } from './hostCall.ts';
import { type DecodedBlock, HpackDecoder } from './hpackDecoder.ts';
import { OpenCalls } from './openCalls.ts';
import type { BatchWriter, Output } from './output.ts';
import {
  ConnectionFault,
  DEFAULT_WINDOW_BYTES,
  H2_ERROR,
  type H2ErrorCode,
  nameOf,
  SETTING,
} from './protocol.ts';
import { ReceiveWindow } from './receiveWindow.ts';
import { malformedTrailers, requestHead } from './request.ts';

/** Calls that the host may have open at once. plakar has one more than the machine has cores. */
const MAX_CALLS = 256;
/** Back-pressure is the calls' matter: this window never holds a call because of another. */
const CONNECTION_WINDOW_BYTES = 64 * 1024 * 1024;
/** Headers of one request: name, value and 32 bytes for each (RFC 9113 §6.5.2). */
const MAX_HEADER_LIST_BYTES = 64 * 1024;

/** What the connection tells whoever owns its pipes. */
export interface ConnectionOwner {
  /** The host broke the protocol: all calls are aborted, GOAWAY is queued. */
  failed(fault: ConnectionFault): void;
  /** One side has said that there are no new calls, and none is open. */
  drained(): void;
}

/** The server side of one HTTP/2 connection: streams become calls. Knows bytes, not pipes. */
export class Connection implements HostEvents {
  readonly #owner: ConnectionOwner;
  readonly #onCall: CallHandler;
  readonly #parser = new FrameParser(new FrameDispatch(this));
  readonly #hpack = new HpackDecoder(MAX_HEADER_LIST_BYTES);
  readonly #calls: OpenCalls;
  readonly #window = new ReceiveWindow(CONNECTION_WINDOW_BYTES);
  #sendWindowBytes = DEFAULT_WINDOW_BYTES;
  /** The call of the DATA frame under way; undefined when its bytes are for nobody. */
  #current: HostCall | undefined;
  #over = false;
  #refusing = false;
  #hostLeaving = false;

  constructor(writer: BatchWriter, onCall: CallHandler, owner: ConnectionOwner, nowMs: () => number) {
    this.#onCall = onCall;
    this.#owner = owner;
    this.#calls = new OpenCalls(writer, () => this.#checkDrained(), nowMs);
    this.output.control(
      settingsFrame([
        [SETTING.MAX_CONCURRENT_STREAMS, MAX_CALLS],
        [SETTING.INITIAL_WINDOW_SIZE, INITIAL_WINDOW_BYTES],
        [SETTING.MAX_HEADER_LIST_SIZE, MAX_HEADER_LIST_BYTES],
      ]),
    );
    this.output.control(windowUpdate(0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES));
  }

  get output(): Output {
    return this.#calls.output;
  }

  /** Bytes of the host; they may change after the call. */
  receive(bytes: Buffer): void {
    if (this.#over) return;
    try {
      this.#parser.push(bytes);
    } catch (error) {
      const defect = () => new ConnectionFault(H2_ERROR.INTERNAL_ERROR, String(error));
      this.#fail(error instanceof ConnectionFault ? error : defect());
    }
  }

  /** Nothing of the host is heard any more: open calls are aborted, those that have ended may still be sent. */
  abandon(why: string): void {
    this.#over = true;
    for (const call of this.#calls) if (!call.over) this.#calls.forget(call, why);
  }

  /** The pipes are gone: nobody waits for them any more. */
  close(): void {
    this.#over = true;
    this.#calls.close();
  }

  /** Takes no new calls. */
  refuse(): void {
    if (this.#over || this.#refusing) return;
    this.#refusing = true;
    const { lastStreamId } = this.#calls.history;
    this.output.control(goAway(lastStreamId, H2_ERROR.NO_ERROR, 'the plugin is shutting down'));
    this.#checkDrained();
  }

  /** Aborts every open call, and tells the host why. */
  cutShort(why: string): void {
    for (const call of this.#calls) call.cutShort(new KlosetError('CANCELLED', why), why);
  }

  dataBegin(streamId: number, length: number): void {
    this.#current = undefined;
    if (!this.#window.take(length)) {
      throw new ConnectionFault(H2_ERROR.FLOW_CONTROL_ERROR, 'more bytes than the window of the connection');
    }
    this.#window.grant(length);
    if (this.#window.due) this.output.control(windowUpdate(0, this.#window.takeIncrement()));
    const call = this.#calls.get(streamId);
    if (call === undefined) this.#strayData(streamId);
    else if (call.hostDone) this.#reset(call, H2_ERROR.STREAM_CLOSED);
    else if (!call.window.take(length)) this.#reset(call, H2_ERROR.FLOW_CONTROL_ERROR);
    else this.#current = call;
  }

  dataBytes(bytes: Buffer): void {
    const call = this.#current;
    if (call !== undefined && !call.deliver(bytes)) this.#reset(call, H2_ERROR.PROTOCOL_ERROR);
  }

  dataEnd(overhead: number, endStream: boolean): void {
    const call = this.#current;
    if (call === undefined) return;
    if (endStream) {
      this.#finish(call);
      return;
    }
    // The service never sees padding, so it cannot credit it.
    if (overhead > 0) call.window.grant(overhead);
    if (call.window.due) this.#calls.creditDue(call);
  }

  headers({ streamId, endStream, bytes }: HeaderBlock): void {
    const block = this.#hpack.decode(bytes);
    const call = this.#calls.get(streamId);
    if (call !== undefined) this.#trailers(call, block, endStream);
    else if (this.#calls.history.mayOpen(streamId)) this.#request(streamId, block, endStream);
    else this.#strayHeaders(streamId);
  }

  reset(streamId: number, code: number): void {
    const call = this.#calls.get(streamId);
    if (call === undefined) {
      this.#refuseIdle(streamId, 'RST_STREAM');
      return;
    }
    const cameToNothing = !call.over;
    this.#calls.forget(call, `the host cancelled the call (${nameOf(H2_ERROR, code)})`);
    if (cameToNothing) this.#calls.spendReset();
  }

  streamFault(streamId: number, code: H2ErrorCode): void {
    const call = this.#calls.get(streamId);
    if (call !== undefined) this.#reset(call, code);
    // RST_STREAM must not be sent for a stream that was never opened (§6.4).
    else this.#refuseIdle(streamId, 'a frame of a wrong size', code);
  }

  settings(settings: readonly { readonly id: number; readonly value: number }[]): void {
    for (const { id, value } of settings) {
      if (id === SETTING.MAX_FRAME_SIZE) this.output.peerAllowsFrames(value);
      else if (id === SETTING.INITIAL_WINDOW_SIZE) this.#resizeSendWindows(value);
    }
    this.#calls.answer(SETTINGS_ACK);
  }

  ping(opaque: Buffer): void {
    this.#calls.answer(pingAck(opaque));
  }

  goAway(): void {
    this.#hostLeaving = true;
    this.#checkDrained();
  }

  windowUpdate(streamId: number, increment: number): void {
    const call = this.#calls.get(streamId);
    if (streamId === 0) {
      if (increment === 0) throw new ConnectionFault(H2_ERROR.PROTOCOL_ERROR, 'a WINDOW_UPDATE of 0');
      if (!this.output.grant(increment)) throw overflow();
    } else if (call === undefined) {
      this.#refuseIdle(streamId, 'WINDOW_UPDATE');
    } else if (increment === 0) {
      this.#reset(call, H2_ERROR.PROTOCOL_ERROR);
    } else if (call.outgoing.grant(increment)) {
      this.output.offer(call.outgoing);
    } else {
      this.#reset(call, H2_ERROR.FLOW_CONTROL_ERROR);
    }
  }

  #request(streamId: number, { fields, oversized }: DecodedBlock, endStream: boolean): void {
    const { history } = this.#calls;
    history.lastStreamId = streamId;
    // What crosses our GOAWAY is ignored (§6.8): the host knows from it that the call was not looked at.
    if (this.#refusing) history.rememberReset(streamId);
    else if (this.#calls.size >= MAX_CALLS) this.#calls.refuse(streamId, H2_ERROR.REFUSED_STREAM);
    else if (oversized) this.#calls.refuse(streamId, H2_ERROR.ENHANCE_YOUR_CALM);
    else {
      const head = requestHead(fields);
      if ('malformed' in head) {
        this.#calls.refuse(streamId, H2_ERROR.PROTOCOL_ERROR);
        return;
      }
      const call = this.#calls.open(streamId, head, this.#sendWindowBytes);
      call.guard(() => this.#onCall(call));
      if (endStream) this.#finish(call);
    }
  }

  #trailers(call: HostCall, { fields }: DecodedBlock, endStream: boolean): void {
    if (call.hostDone) this.#reset(call, H2_ERROR.STREAM_CLOSED);
    else if (!endStream || malformedTrailers(fields)) this.#reset(call, H2_ERROR.PROTOCOL_ERROR);
    else this.#finish(call);
  }

  #finish(call: HostCall): void {
    if (!call.finish()) this.#reset(call, H2_ERROR.PROTOCOL_ERROR);
  }

  #resizeSendWindows(bytes: number): void {
    const difference = bytes - this.#sendWindowBytes;
    this.#sendWindowBytes = bytes;
    for (const call of this.#calls) {
      if (!call.outgoing.grant(difference)) throw overflow();
      this.output.offer(call.outgoing);
    }
  }

  #reset(call: HostCall, code: H2ErrorCode): void {
    if (this.#current === call) this.#current = undefined;
    this.#calls.reset(call, code);
  }

  #strayData(streamId: number): void {
    this.#refuseIdle(streamId, 'DATA');
    if (this.#calls.history.stateOf(streamId) === 'closed') {
      this.#calls.refuse(streamId, H2_ERROR.STREAM_CLOSED);
    }
  }

  #strayHeaders(streamId: number): void {
    this.#refuseIdle(streamId, 'HEADERS');
    if (this.#calls.history.stateOf(streamId) === 'reset') return;
    throw new ConnectionFault(H2_ERROR.STREAM_CLOSED, `HEADERS on stream ${streamId}, which is closed`);
  }

  #refuseIdle(streamId: number, what: string, code: H2ErrorCode = H2_ERROR.PROTOCOL_ERROR): void {
    if (this.#calls.history.stateOf(streamId) !== 'idle') return;
    throw new ConnectionFault(code, `${what} on stream ${streamId}, which was never opened`);
  }

  #fail(fault: ConnectionFault): void {
    this.output.control(goAway(this.#calls.history.lastStreamId, fault.code, fault.message));
    this.abandon(`the host broke the rules of HTTP/2: ${fault.message}`);
    this.#owner.failed(fault);
  }

  #checkDrained(): void {
    if (this.#over || this.#calls.size > 0) return;
    if (this.#refusing || this.#hostLeaving) this.#owner.drained();
  }
}

function overflow(): ConnectionFault {
  return new ConnectionFault(H2_ERROR.FLOW_CONTROL_ERROR, 'a window of more than 2^31 - 1 bytes');
}

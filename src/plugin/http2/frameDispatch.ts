import type { FrameSink } from './frameParser.ts';
import { HeaderAssembly, type HeaderBlock } from './headerBlock.ts';
import { settingsOf } from './peerSettings.ts';
import { ConnectionFault, FLAG, FRAME, H2_ERROR, type H2ErrorCode, nameOf } from './protocol.ts';

/** What the host's frames say, once their form is right. */
export interface HostEvents {
  dataBegin(streamId: number, length: number): void;
  dataBytes(bytes: Buffer): void;
  dataEnd(overhead: number, endStream: boolean): void;
  headers(block: HeaderBlock): void;
  /** The host has reset the stream. */
  reset(streamId: number, code: number): void;
  /** A frame breaks the rules in a way that concerns its stream only. */
  streamFault(streamId: number, code: H2ErrorCode): void;
  settings(settings: readonly { readonly id: number; readonly value: number }[]): void;
  ping(opaque: Buffer): void;
  goAway(): void;
  /** `increment` may be 0. Stream 0 is the connection. */
  windowUpdate(streamId: number, increment: number): void;
}

/** Lengths that a frame must have (RFC 9113 §6). */
const EXACT_BYTES: Readonly<Record<number, number>> = {
  [FRAME.RST_STREAM]: 4,
  [FRAME.PING]: 8,
  [FRAME.WINDOW_UPDATE]: 4,
};
const OF_A_STREAM: ReadonlySet<number> = new Set([
  FRAME.HEADERS,
  FRAME.PRIORITY,
  FRAME.RST_STREAM,
  FRAME.CONTINUATION,
]);
const OF_THE_CONNECTION: ReadonlySet<number> = new Set([FRAME.SETTINGS, FRAME.PING, FRAME.GOAWAY]);

/** Checks the form of each frame and its place among the others, and hands on what it says. */
export class FrameDispatch implements FrameSink {
  readonly #events: HostEvents;
  readonly #assembly = new HeaderAssembly();
  #settled = false;
  #endStream = false;

  constructor(events: HostEvents) {
    this.#events = events;
  }

  dataBegin(streamId: number, flags: number, length: number): void {
    this.#checkOrder(FRAME.DATA, 0);
    if (streamId === 0) throw fault('DATA on stream 0');
    this.#endStream = (flags & FLAG.END_STREAM) !== 0;
    this.#events.dataBegin(streamId, length);
  }

  dataBytes(bytes: Buffer): void {
    this.#events.dataBytes(bytes);
  }

  dataEnd(overhead: number): void {
    this.#events.dataEnd(overhead, this.#endStream);
  }

  frame(type: number, flags: number, streamId: number, payload: Buffer): void {
    this.#checkOrder(type, flags);
    this.#checkForm(type, streamId, payload.length);
    switch (type) {
      case FRAME.HEADERS:
        this.#block(this.#assembly.begin(flags, streamId, payload));
        break;
      case FRAME.CONTINUATION:
        this.#block(this.#assembly.continue(flags, streamId, payload));
        break;
      case FRAME.PRIORITY:
        if (payload.length !== 5) this.#events.streamFault(streamId, H2_ERROR.FRAME_SIZE_ERROR);
        break;
      case FRAME.RST_STREAM:
        this.#events.reset(streamId, payload.readUInt32BE(0));
        break;
      case FRAME.SETTINGS:
        this.#settings(flags, payload);
        break;
      case FRAME.PUSH_PROMISE:
        throw fault('PUSH_PROMISE from a client');
      case FRAME.PING:
        if (!(flags & FLAG.ACK)) this.#events.ping(payload);
        break;
      case FRAME.GOAWAY:
        this.#events.goAway();
        break;
      case FRAME.WINDOW_UPDATE:
        this.#events.windowUpdate(streamId, payload.readUInt32BE(0) & 0x7fff_ffff);
        break;
      default:
      // Unknown types are extensions and to be ignored (§4.1).
    }
  }

  /** The first frame is SETTINGS (§3.4), and nothing comes between the frames of a header block (§4.3). */
  #checkOrder(type: number, flags: number): void {
    if (!this.#settled) {
      if (type !== FRAME.SETTINGS || flags & FLAG.ACK) throw fault('the first frame is not SETTINGS');
      this.#settled = true;
    }
    if (this.#assembly.open && type !== FRAME.CONTINUATION) {
      throw fault(`${nameOf(FRAME, type)} within a header block`);
    }
  }

  #checkForm(type: number, streamId: number, length: number): void {
    if (streamId === 0 ? OF_A_STREAM.has(type) : OF_THE_CONNECTION.has(type)) {
      throw fault(`${nameOf(FRAME, type)} on stream ${streamId}`);
    }
    const exact = EXACT_BYTES[type];
    if ((exact !== undefined && length !== exact) || (type === FRAME.GOAWAY && length < 8)) {
      throw new ConnectionFault(H2_ERROR.FRAME_SIZE_ERROR, `${nameOf(FRAME, type)} of ${length} bytes`);
    }
  }

  #block(block: HeaderBlock | undefined): void {
    if (block !== undefined) this.#events.headers(block);
  }

  #settings(flags: number, payload: Buffer): void {
    if (!(flags & FLAG.ACK)) {
      this.#events.settings(settingsOf(payload));
    } else if (payload.length > 0) {
      throw new ConnectionFault(H2_ERROR.FRAME_SIZE_ERROR, 'an acknowledgement of SETTINGS with settings');
    }
  }
}

function fault(message: string): ConnectionFault {
  return new ConnectionFault(H2_ERROR.PROTOCOL_ERROR, message);
}

import {
  ConnectionFault,
  DEFAULT_MAX_FRAME_BYTES,
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  H2_ERROR,
  PREFACE,
} from './protocol.ts';

/** Who takes the frames. Views are valid during the call only. What a method throws leaves {@link FrameParser.push}. */
export interface FrameSink {
  /** The frame is DATA; its bytes follow in pieces. `length` is what it weighs in flow control, with its padding. */
  dataBegin(streamId: number, flags: number, length: number): void;
  dataBytes(bytes: Buffer): void;
  /** The DATA frame is complete; `overhead` of its length was padding and its length field. */
  dataEnd(overhead: number): void;
  /** Any other frame, complete. */
  frame(type: number, flags: number, streamId: number, payload: Buffer): void;
}

type State = 'preface' | 'header' | 'pad-length' | 'data' | 'padding' | 'payload';

/**
 * Cuts the host's bytes into frames, wherever the reads cut them. DATA is passed on as it arrives, in views of the
 * read buffer; only frames of other types that straddle two reads are copied together.
 */
export class FrameParser {
  readonly #sink: FrameSink;
  #state: State = 'preface';
  /** Bytes of the preface, frame header or payload that arrived in earlier reads. */
  #have = 0;
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES);
  #payload: Buffer = this.#header;
  #length = 0;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  #dataLeft = 0;
  #padding = 0;
  #paddingLeft = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** @throws ConnectionFault, after which nothing may be pushed any more */
  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case 'preface':
          at = this.#readPreface(bytes, at);
          break;
        case 'header':
          at = this.#readHeader(bytes, at);
          break;
        case 'pad-length':
          this.#beginPadded(bytes[at++] as number);
          break;
        case 'data':
          at = this.#readData(bytes, at);
          break;
        case 'padding':
          at = this.#skipPadding(bytes, at);
          break;
        case 'payload':
          at = this.#readPayload(bytes, at);
          break;
      }
    }
  }

  #readPreface(bytes: Buffer, at: number): number {
    const take = Math.min(PREFACE.length - this.#have, bytes.length - at);
    if (bytes.compare(PREFACE, this.#have, this.#have + take, at, at + take) !== 0) {
      throw new ConnectionFault(
        H2_ERROR.PROTOCOL_ERROR,
        'the connection does not begin with the HTTP/2 preface',
      );
    }
    this.#have += take;
    if (this.#have === PREFACE.length) this.#next();
    return at + take;
  }

  #readHeader(bytes: Buffer, at: number): number {
    if (this.#have === 0 && bytes.length - at >= FRAME_HEADER_BYTES) {
      this.#beginFrame(bytes, at);
      return at + FRAME_HEADER_BYTES;
    }
    const take = Math.min(FRAME_HEADER_BYTES - this.#have, bytes.length - at);
    bytes.copy(this.#header, this.#have, at, at + take);
    this.#have += take;
    if (this.#have === FRAME_HEADER_BYTES) this.#beginFrame(this.#header, 0);
    return at + take;
  }

  #beginFrame(bytes: Buffer, at: number): void {
    this.#have = 0;
    this.#length = bytes.readUIntBE(at, 3);
    this.#type = bytes[at + 3] as number;
    this.#flags = bytes[at + 4] as number;
    this.#streamId = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
    if (this.#length > DEFAULT_MAX_FRAME_BYTES) {
      throw new ConnectionFault(H2_ERROR.FRAME_SIZE_ERROR, `a frame of ${this.#length} bytes is too large`);
    }
    if (this.#type === FRAME.DATA) this.#beginData();
    else if (this.#length > 0) this.#state = 'payload';
    else this.#frameDone(bytes.subarray(0, 0));
  }

  #beginData(): void {
    this.#padding = 0;
    this.#paddingLeft = 0;
    this.#dataLeft = this.#length;
    if (this.#flags & FLAG.PADDED) {
      if (this.#length === 0) {
        throw new ConnectionFault(H2_ERROR.FRAME_SIZE_ERROR, 'a padded DATA frame without a padding length');
      }
      this.#state = 'pad-length';
      return;
    }
    this.#state = 'data';
    this.#sink.dataBegin(this.#streamId, this.#flags, this.#length);
    if (this.#dataLeft === 0) this.#dataDone();
  }

  #beginPadded(padding: number): void {
    if (padding >= this.#length) {
      throw new ConnectionFault(
        H2_ERROR.PROTOCOL_ERROR,
        'the padding of a DATA frame is as long as the frame',
      );
    }
    this.#padding = padding + 1;
    this.#paddingLeft = padding;
    this.#dataLeft = this.#length - 1 - padding;
    this.#sink.dataBegin(this.#streamId, this.#flags, this.#length);
    this.#afterData();
  }

  #readData(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#dataLeft);
    this.#dataLeft -= end - at;
    this.#sink.dataBytes(bytes.subarray(at, end));
    if (this.#dataLeft === 0) this.#afterData();
    return end;
  }

  #afterData(): void {
    if (this.#dataLeft > 0) this.#state = 'data';
    else if (this.#paddingLeft > 0) this.#state = 'padding';
    else this.#dataDone();
  }

  #skipPadding(bytes: Buffer, at: number): number {
    const take = Math.min(this.#paddingLeft, bytes.length - at);
    this.#paddingLeft -= take;
    if (this.#paddingLeft === 0) this.#dataDone();
    return at + take;
  }

  #dataDone(): void {
    this.#next();
    this.#sink.dataEnd(this.#padding);
  }

  #readPayload(bytes: Buffer, at: number): number {
    if (this.#have === 0 && bytes.length - at >= this.#length) {
      const end = at + this.#length;
      this.#frameDone(bytes.subarray(at, end));
      return end;
    }
    if (this.#have === 0) this.#payload = Buffer.allocUnsafe(this.#length);
    const take = Math.min(this.#length - this.#have, bytes.length - at);
    bytes.copy(this.#payload, this.#have, at, at + take);
    this.#have += take;
    if (this.#have === this.#length) this.#frameDone(this.#payload);
    return at + take;
  }

  #frameDone(payload: Buffer): void {
    this.#next();
    this.#sink.frame(this.#type, this.#flags, this.#streamId, payload);
  }

  #next(): void {
    this.#state = 'header';
    this.#have = 0;
  }
}

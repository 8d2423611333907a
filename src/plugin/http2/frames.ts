import { FLAG, FRAME, FRAME_HEADER_BYTES, type H2ErrorCode } from './protocol.ts';

/** Control frames that we send, whole (RFC 9113 §6). */

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const frame = control(FRAME.SETTINGS, 0, 0, 6 * settings.length);
  settings.forEach(([id, value], index) => {
    frame.writeUInt16BE(id, FRAME_HEADER_BYTES + 6 * index);
    frame.writeUInt32BE(value, FRAME_HEADER_BYTES + 6 * index + 2);
  });
  return frame;
}

export const SETTINGS_ACK: Buffer = control(FRAME.SETTINGS, FLAG.ACK, 0, 0);

export function pingAck(opaque: Uint8Array): Buffer {
  const frame = control(FRAME.PING, FLAG.ACK, 0, 8);
  frame.set(opaque, FRAME_HEADER_BYTES);
  return frame;
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  return withNumber(FRAME.WINDOW_UPDATE, streamId, increment);
}

export function resetStream(streamId: number, code: H2ErrorCode): Buffer {
  return withNumber(FRAME.RST_STREAM, streamId, code);
}

/** `reason` is for whoever reads the host's log. */
export function goAway(lastStreamId: number, code: H2ErrorCode, reason: string): Buffer {
  const debug = Buffer.from(reason, 'utf8');
  const frame = control(FRAME.GOAWAY, 0, 0, 8 + debug.length);
  frame.writeUInt32BE(lastStreamId, FRAME_HEADER_BYTES);
  frame.writeUInt32BE(code, FRAME_HEADER_BYTES + 4);
  frame.set(debug, FRAME_HEADER_BYTES + 8);
  return frame;
}

function withNumber(type: number, streamId: number, value: number): Buffer {
  const frame = control(type, 0, streamId, 4);
  frame.writeUInt32BE(value, FRAME_HEADER_BYTES);
  return frame;
}

function control(type: number, flags: number, streamId: number, payloadBytes: number): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + payloadBytes);
  frame.writeUIntBE(payloadBytes, 0, 3);
  frame[3] = type;
  frame[4] = flags;
  frame.writeUInt32BE(streamId, 5);
  return frame;
}

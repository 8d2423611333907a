import { ConnectionFault, DEFAULT_MAX_FRAME_BYTES, H2_ERROR, MAX_31_BIT, SETTING } from './protocol.ts';

const MAX_FRAME_BYTES = 16_777_215;

/** The settings in a payload, in order, checked by RFC 9113 §6.5.2. */
export function settingsOf(payload: Buffer): { readonly id: number; readonly value: number }[] {
  if (payload.length % 6 !== 0) {
    throw new ConnectionFault(H2_ERROR.FRAME_SIZE_ERROR, 'a SETTINGS frame of a wrong length');
  }
  const settings = [];
  for (let at = 0; at < payload.length; at += 6) {
    const setting = { id: payload.readUInt16BE(at), value: payload.readUInt32BE(at + 2) };
    check(setting.id, setting.value);
    settings.push(setting);
  }
  return settings;
}

function check(id: number, value: number): void {
  if (id === SETTING.ENABLE_PUSH && value > 1) throw fault('ENABLE_PUSH', value);
  if (id === SETTING.INITIAL_WINDOW_SIZE && value > MAX_31_BIT) {
    throw new ConnectionFault(H2_ERROR.FLOW_CONTROL_ERROR, `an INITIAL_WINDOW_SIZE of ${value}`);
  }
  if (id === SETTING.MAX_FRAME_SIZE && (value < DEFAULT_MAX_FRAME_BYTES || value > MAX_FRAME_BYTES)) {
    throw fault('MAX_FRAME_SIZE', value);
  }
}

function fault(name: string, value: number): ConnectionFault {
  return new ConnectionFault(H2_ERROR.PROTOCOL_ERROR, `a ${name} of ${value}`);
}

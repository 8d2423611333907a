/** Streams, settings and windows: RFC 9113 §5, the other half of §6, §7. */
import {
  ACK,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  PRIORITY,
  request,
  settings,
  TYPE,
  u32,
} from '../../support/h2Frames.ts';
import {
  answered,
  BLOCK,
  bytes,
  connectionError,
  OPEN,
  type Row,
  streamError,
  withField,
} from './conformanceCase.ts';

export const STREAMS: readonly Row[] = [
  ['5.1', 'idle: DATA', [data(1, bytes(1))], connectionError('PROTOCOL_ERROR')],
  ['5.1', 'idle: RST_STREAM', [frame(TYPE.RST_STREAM, 0, 1, u32(8))], connectionError('PROTOCOL_ERROR')],
  [
    '5.1',
    'idle: WINDOW_UPDATE',
    [frame(TYPE.WINDOW_UPDATE, 0, 1, u32(1))],
    connectionError('PROTOCOL_ERROR'),
  ],
  [
    '5.1',
    'idle: CONTINUATION',
    [frame(TYPE.CONTINUATION, END_HEADERS, 1, BLOCK)],
    connectionError('PROTOCOL_ERROR'),
  ],
  ['5.1', 'idle: PRIORITY', [frame(TYPE.PRIORITY, 0, 5, bytes(5)), request(7, END_STREAM)], answered(7)],
  ['5.1', 'half-closed: DATA', [waiting(), data(1, bytes(1))], streamError('STREAM_CLOSED')],
  ['5.1', 'half-closed: HEADERS', [waiting(), request(1, END_STREAM)], streamError('STREAM_CLOSED')],
  [
    '5.1',
    'half-closed: CONTINUATION',
    [waiting(), frame(TYPE.CONTINUATION, END_HEADERS, 1, BLOCK)],
    connectionError('PROTOCOL_ERROR'),
  ],
  [
    '5.1',
    'half-closed: WINDOW_UPDATE and PRIORITY',
    [
      waiting(),
      frame(TYPE.WINDOW_UPDATE, 0, 1, u32(1)),
      frame(TYPE.PRIORITY, 0, 1, bytes(5)),
      request(3, END_STREAM),
    ],
    answered(3),
  ],
  [
    '5.1',
    'closed by the host: DATA',
    [OPEN, frame(TYPE.RST_STREAM, 0, 1, u32(8)), data(1, bytes(1))],
    streamError('STREAM_CLOSED'),
  ],
  [
    '5.1',
    'closed by the host: HEADERS',
    [OPEN, frame(TYPE.RST_STREAM, 0, 1, u32(8)), request(1)],
    connectionError('STREAM_CLOSED'),
  ],
  [
    '5.1',
    'closed by the host: RST_STREAM, WINDOW_UPDATE, PRIORITY',
    [
      OPEN,
      frame(TYPE.RST_STREAM, 0, 1, u32(8)),
      frame(TYPE.RST_STREAM, 0, 1, u32(8)),
      frame(TYPE.WINDOW_UPDATE, 0, 1, u32(0)),
      frame(TYPE.PRIORITY, 0, 1, bytes(4)),
      request(3, END_STREAM),
    ],
    answered(3),
  ],
  [
    '5.1',
    'reset by the plugin: what was on its way is ignored',
    [
      OPEN,
      frame(TYPE.WINDOW_UPDATE, 0, 1, u32(0)),
      data(1, bytes(9)),
      request(1, END_STREAM),
      request(3, END_STREAM),
    ],
    answered(3),
  ],
  ['5.1.1', 'an even identifier', [request(2)], connectionError('PROTOCOL_ERROR')],
  ['5.1.1', 'an identifier below an earlier one', [request(5), request(3)], connectionError('STREAM_CLOSED')],
  [
    '5.1.1',
    'identifiers may be left out',
    [request(9, END_STREAM), request(101, END_STREAM)],
    answered(9, 101),
  ],
  [
    '5.3',
    'HEADERS with a priority, even on itself, which RFC 9113 ignores',
    [
      frame(
        TYPE.HEADERS,
        END_HEADERS | END_STREAM | PRIORITY,
        1,
        Buffer.concat([u32(1), Buffer.of(15), BLOCK]),
      ),
    ],
    answered(1),
  ],
  ['6.5', 'SETTINGS on a stream', [frame(TYPE.SETTINGS, 0, 1)], connectionError('PROTOCOL_ERROR')],
  [
    '6.5',
    'SETTINGS of a wrong length',
    [frame(TYPE.SETTINGS, 0, 0, bytes(5))],
    connectionError('FRAME_SIZE_ERROR'),
  ],
  [
    '6.5',
    'an acknowledgement with settings',
    [frame(TYPE.SETTINGS, ACK, 0, bytes(6))],
    connectionError('FRAME_SIZE_ERROR'),
  ],
  ['6.5.2', 'ENABLE_PUSH of 2', [settings([2, 2])], connectionError('PROTOCOL_ERROR')],
  [
    '6.5.2',
    'INITIAL_WINDOW_SIZE above 2^31 - 1',
    [settings([4, 2 ** 31])],
    connectionError('FLOW_CONTROL_ERROR'),
  ],
  ['6.5.2', 'MAX_FRAME_SIZE below 16 KiB', [settings([5, 16_383])], connectionError('PROTOCOL_ERROR')],
  ['6.5.2', 'MAX_FRAME_SIZE above 2^24 - 1', [settings([5, 2 ** 24])], connectionError('PROTOCOL_ERROR')],
  [
    '6.5.2',
    'an unknown setting is ignored',
    [settings([0xff, 1], [8, 1]), request(1, END_STREAM)],
    answered(1),
  ],
  [
    '6.5.2',
    'a header table of no size',
    [settings([1, 0]), request(1, END_STREAM), settings([1, 4096]), request(3, END_STREAM)],
    answered(1, 3),
  ],
  [
    '6.6',
    'PUSH_PROMISE from a client',
    [OPEN, frame(TYPE.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([u32(2), BLOCK]))],
    connectionError('PROTOCOL_ERROR'),
  ],
  ['6.7', 'PING on a stream', [frame(TYPE.PING, 0, 1, bytes(8))], connectionError('PROTOCOL_ERROR')],
  ['6.7', 'PING of a wrong length', [frame(TYPE.PING, 0, 0, bytes(6))], connectionError('FRAME_SIZE_ERROR')],
  ['6.8', 'GOAWAY on a stream', [frame(TYPE.GOAWAY, 0, 1, bytes(8))], connectionError('PROTOCOL_ERROR')],
  [
    '6.8',
    'GOAWAY that is too short',
    [frame(TYPE.GOAWAY, 0, 0, bytes(7))],
    connectionError('FRAME_SIZE_ERROR'),
  ],
  [
    '6.9',
    'WINDOW_UPDATE of 0 on the connection',
    [frame(TYPE.WINDOW_UPDATE, 0, 0, u32(0))],
    connectionError('PROTOCOL_ERROR'),
  ],
  [
    '6.9',
    'WINDOW_UPDATE of 0 on a stream',
    [OPEN, frame(TYPE.WINDOW_UPDATE, 0, 1, u32(0))],
    streamError('PROTOCOL_ERROR'),
  ],
  [
    '6.9',
    'WINDOW_UPDATE of a wrong length',
    [frame(TYPE.WINDOW_UPDATE, 0, 0, bytes(3))],
    connectionError('FRAME_SIZE_ERROR'),
  ],
  [
    '6.9.1',
    'a window of the connection above 2^31 - 1',
    [frame(TYPE.WINDOW_UPDATE, 0, 0, u32(2 ** 31 - 1))],
    connectionError('FLOW_CONTROL_ERROR'),
  ],
  [
    '6.9.1',
    'a window of a stream above 2^31 - 1',
    [OPEN, frame(TYPE.WINDOW_UPDATE, 0, 1, u32(2 ** 31 - 1))],
    streamError('FLOW_CONTROL_ERROR'),
  ],
  [
    '6.9.2',
    'settings that push an open window above 2^31 - 1',
    [OPEN, frame(TYPE.WINDOW_UPDATE, 0, 1, u32(2 ** 30)), settings([4, 2 ** 31 - 1])],
    connectionError('FLOW_CONTROL_ERROR'),
  ],
  [
    '7',
    'RST_STREAM with an unknown code',
    [OPEN, frame(TYPE.RST_STREAM, 0, 1, u32(0xdead)), request(3, END_STREAM)],
    answered(3),
  ],
];

/** A request that is whole, and that the plugin does not answer. */
function waiting(): Buffer {
  return request(1, END_STREAM, withField('x-wait', '1'));
}

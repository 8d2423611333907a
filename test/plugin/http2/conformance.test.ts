import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HpackDecoder } from '../../../src/plugin/http2/hpackDecoder.ts';
import { H2_ERROR, nameOf } from '../../../src/plugin/http2/protocol.ts';
import { serveHost } from '../../../src/plugin/http2/server.ts';
import {
  type CallHandler,
  GRPC_STATUS,
  type HostConnection,
  INITIAL_WINDOW_BYTES,
} from '../../../src/plugin/transport.ts';
import {
  ACK,
  data,
  END_STREAM,
  frame,
  PREFACE,
  type RawFrame,
  request,
  TYPE,
  u32,
} from '../../support/h2Frames.ts';
import { RawHost } from '../../support/rawHost.ts';
import { FRAMES } from './casesOfFrames.ts';
import { MESSAGES } from './casesOfMessages.ts';
import { STREAMS } from './casesOfStreams.ts';
import type { Expectation } from './conformanceCase.ts';

/** Answers whole requests; those with `x-wait` never. */
const onCall: CallHandler = (call) => {
  call.receive({
    data: (bytes) => call.credit(bytes.length),
    end: () => {
      if (call.headers['x-wait'] !== undefined) return;
      call.write([Buffer.from('an answer')]);
      call.end(GRPC_STATUS.OK);
    },
  });
};

describe('RFC 9113', () => {
  let host: RawHost;
  let connection: HostConnection;

  beforeEach(() => {
    host = new RawHost();
    connection = serveHost(host.pipes.plugin, onCall);
  });

  afterEach(async () => {
    host.leave();
    await connection.closed;
  });

  async function check(expectation: Expectation): Promise<void> {
    if ('goAway' in expectation) {
      expect(codeName(await host.goAway())).toBe(codeName(expectation.goAway));
      await host.closed();
      expect(await connection.closed).toMatchObject({ code: 'CONNECTION_LOST' });
      return;
    }
    const frames = await host.settle();
    expect(frames.filter((one) => one.type === TYPE.GOAWAY)).toEqual([]);
    if ('reset' in expectation) {
      const resets = frames.filter((one) => one.type === TYPE.RST_STREAM);
      expect(resets.map((one) => [one.streamId, codeName(one.payload.readUInt32BE(0))])).toEqual([
        [expectation.stream, codeName(expectation.reset)],
      ]);
      return;
    }
    await Promise.all(
      expectation.answered.map((stream) => host.frame((one) => ends(one, stream), `trailers of ${stream}`)),
    );
    expect(statusesOf(host.frames)).toEqual(expectation.answered.map((stream) => [stream, '0']));
  }

  it.each([...FRAMES, ...STREAMS, ...MESSAGES])('§%s: %s', async (_section, _what, send, expectation) => {
    host.greet().send(...send);
    await check(expectation);
  });

  it.each([
    ['no preface', Buffer.from('POST / HTTP/1.1\r\nhost: plugin\r\n\r\n')],
    ['a request before SETTINGS', Buffer.concat([PREFACE, request(1, END_STREAM)])],
    ['DATA before SETTINGS', Buffer.concat([PREFACE, data(1, Buffer.alloc(1))])],
    ['an acknowledgement before SETTINGS', Buffer.concat([PREFACE, frame(TYPE.SETTINGS, ACK, 0)])],
  ])('§3.4: %s', async (_what, bytes) => {
    host.send(bytes);
    await check({ goAway: H2_ERROR.PROTOCOL_ERROR });
  });

  it('§5.1: DATA behind an answer that has ended the call', async () => {
    host.greet().send(request(1, END_STREAM));
    await host.frame((one) => ends(one, 1), 'trailers');
    host.send(data(1, Buffer.alloc(1)));
    await check({ reset: H2_ERROR.STREAM_CLOSED, stream: 1 });
  });

  it('§5.1: HEADERS behind an answer that has ended the call', async () => {
    host.greet().send(request(1, END_STREAM));
    await host.frame((one) => ends(one, 1), 'trailers');
    host.send(request(1, END_STREAM));
    await check({ goAway: H2_ERROR.STREAM_CLOSED });
  });

  it('§5.1.2: a call above MAX_CONCURRENT_STREAMS is refused, the others go on', async () => {
    host.greet();
    for (let call = 0; call <= 256; call++) host.send(request(2 * call + 1));
    await check({ reset: H2_ERROR.REFUSED_STREAM, stream: 513 });
    host.send(data(1, Buffer.alloc(0), END_STREAM));
    await host.frame((one) => ends(one, 1), 'trailers');
    host.send(request(515, END_STREAM));
    await host.frame((one) => ends(one, 515), 'trailers of the place that was free again');
  });

  it('§6.5.3: SETTINGS are acknowledged, and ours announced', async () => {
    host.greet();
    const frames = await host.settle();
    const [announced, acknowledged] = frames.filter((one) => one.type === TYPE.SETTINGS);
    expect(acknowledged).toMatchObject({ flags: ACK, payload: Buffer.alloc(0) });
    const values = new Map<number, number>();
    for (let at = 0; at < (announced?.payload.length ?? 0); at += 6) {
      values.set(announced?.payload.readUInt16BE(at) ?? 0, announced?.payload.readUInt32BE(at + 2) ?? 0);
    }
    expect(values.get(3)).toBe(256);
    expect(values.get(4)).toBe(INITIAL_WINDOW_BYTES);
  });

  it('§6.7: an acknowledgement of PING is not answered', async () => {
    host.greet().send(frame(TYPE.PING, ACK, 0, u32(7, 7)));
    await host.settle();
    expect(host.frames.filter((one) => one.type === TYPE.PING)).toHaveLength(1);
  });

  it('§6.8: a host that sends GOAWAY gets the answers to its calls, and then the end', async () => {
    host.greet().send(request(1), frame(TYPE.GOAWAY, 0, 0, u32(0, 0)));
    await host.settle();
    host.send(data(1, Buffer.alloc(0), END_STREAM));
    await host.frame((one) => ends(one, 1), 'trailers');
    await host.closed();
    expect(await connection.closed).toBeUndefined();
  });

  it('§6.8: GOAWAY names the last call that was looked at, and why', async () => {
    host.greet().send(request(7), frame(TYPE.PING, 0, 1, u32(0, 0)));
    const { payload } = await host.ofType(TYPE.GOAWAY, 0);
    expect(payload.readUInt32BE(0)).toBe(7);
    expect(payload.subarray(8).toString()).toBe('PING on stream 1');
  });
});

const ends = (one: RawFrame, stream: number) =>
  one.type === TYPE.HEADERS && one.streamId === stream && (one.flags & END_STREAM) !== 0;

const codeName = (code: number | undefined) =>
  code === undefined ? 'closed without GOAWAY' : nameOf(H2_ERROR, code);

/** The grpc-status of each call that was ended, in the order of their streams. */
function statusesOf(frames: readonly RawFrame[]): [number, string | undefined][] {
  const decoder = new HpackDecoder(64 * 1024);
  const statuses: [number, string | undefined][] = [];
  for (const one of frames) {
    if (one.type !== TYPE.HEADERS) continue;
    const { fields } = decoder.decode(one.payload);
    if ((one.flags & END_STREAM) === 0) continue;
    statuses.push([one.streamId, fields.find(({ name }) => name === 'grpc-status')?.value]);
  }
  return statuses.sort(([a], [b]) => a - b);
}

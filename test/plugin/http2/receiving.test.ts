import { describe, expect, it } from 'vitest';
import { H2_ERROR } from '../../../src/plugin/http2/protocol.ts';
import { type Call, type CallHandler, INITIAL_WINDOW_BYTES } from '../../../src/plugin/transport.ts';
import { data, END_STREAM, frame, PADDED, request, settings, TYPE, u32 } from '../../support/h2Frames.ts';
import { ConnectionRig } from './connectionRig.ts';

const FULL = Buffer.alloc(16_384);
const MIB = 1024 * 1024;

const crediting: CallHandler = (call) =>
  call.receive({ data: (bytes) => call.credit(bytes.length), end() {} });
const holding: CallHandler = (call) => call.receive({ data() {}, end() {} });
const resets = (host: ConnectionRig) =>
  host.frames
    .filter((one) => one.type === TYPE.RST_STREAM)
    .map((one) => [one.streamId, one.payload.readUInt32BE(0)]);
const increments = (host: ConnectionRig, streamId: number) =>
  host.frames
    .filter((one) => one.type === TYPE.WINDOW_UPDATE && one.streamId === streamId)
    .map((one) => one.payload.readUInt32BE(0));

describe('windows of ours', () => {
  it('end a call whose host sends more than it was allowed, and no other', async () => {
    const calls: Call[] = [];
    const host = new ConnectionRig((call) => {
      calls.push(call);
      holding(call);
    });
    host.send(request(1), request(3));
    for (let sent = 0; sent < INITIAL_WINDOW_BYTES; sent += FULL.length) host.send(data(1, FULL));
    await host.quiet();
    expect(resets(host)).toEqual([]);
    host.send(data(1, Buffer.of(0)));
    await host.quiet();
    expect(resets(host)).toEqual([[1, H2_ERROR.FLOW_CONTROL_ERROR]]);
    expect(calls.map((call) => call.signal.aborted)).toEqual([true, false]);
    expect(host.faults).toEqual([]);
  });

  it('count padding, which the connection credits itself', async () => {
    const host = new ConnectionRig(crediting);
    host.send(request(1));
    const padded = data(1, Buffer.concat([Buffer.of(255), Buffer.alloc(1 + 255)]), PADDED);
    // Sixteen windows of which the service sees a byte in 257.
    for (let sent = 0; sent < 16 * INITIAL_WINDOW_BYTES; sent += 257) {
      host.send(padded);
      if (sent % 65_536 < 257) await host.turn();
    }
    await host.quiet();
    expect(resets(host)).toEqual([]);
    const open = increments(host, 1).reduce((sum, bytes) => sum + bytes, 0) - 16 * INITIAL_WINDOW_BYTES;
    expect(open).toBeGreaterThanOrEqual(-INITIAL_WINDOW_BYTES / 2 - 65_536);
  });

  it('are opened with few frames: at most two for each megabyte, one for 32 of the connection', async () => {
    const host = new ConnectionRig(crediting);
    host.send(request(1));
    const total = 128 * MIB;
    for (let sent = 0; sent < total; sent += FULL.length) {
      host.send(data(1, FULL));
      if (sent % 65_536 === 0) await host.turn();
    }
    await host.quiet();
    expect(increments(host, 1).length).toBeLessThanOrEqual((2 * total) / MIB);
    // The first opens the window.
    expect(increments(host, 0).length).toBeLessThanOrEqual(1 + total / (32 * MIB));
    expect(resets(host)).toEqual([]);
  });

  it('are not opened for a call that needs no more', async () => {
    const calls: Call[] = [];
    const host = new ConnectionRig((call) => {
      calls.push(call);
      holding(call);
    });
    host.send(request(1), data(1, FULL, END_STREAM), request(3), data(3, FULL));
    for (const call of calls) call.credit(10 * MIB);
    calls[1]?.end(0);
    calls[1]?.credit(10 * MIB);
    await host.quiet();
    expect(increments(host, 1)).toEqual([]);
    expect(increments(host, 3)).toEqual([]);
  });

  it('count what arrives for a call that is over', async () => {
    const host = new ConnectionRig((call) => {
      holding(call);
      call.end(0);
    });
    host.send(request(1));
    await host.quiet();
    const total = 128 * MIB;
    for (let sent = 0; sent < total; sent += FULL.length) host.send(data(1, FULL));
    await host.quiet();
    expect(host.faults).toEqual([]);
    expect(increments(host, 0).length).toBeGreaterThanOrEqual(4);
    expect(resets(host)).toEqual([[1, H2_ERROR.NO_ERROR]]);
  });
});

describe('a request', () => {
  it('reaches the service without a copy, in views that are used again', () => {
    const seen: Uint8Array[] = [];
    const host = new ConnectionRig((call) => call.receive({ data: (bytes) => seen.push(bytes), end() {} }));
    const read = Buffer.concat([request(1), data(1, FULL), data(1, FULL)]);
    host.connection.receive(read);
    expect(seen.map((bytes) => bytes.length)).toEqual([FULL.length, FULL.length]);
    expect(seen.every((bytes) => bytes.buffer === read.buffer)).toBe(true);
  });

  it('ends for the service with END_STREAM on DATA, on HEADERS and with trailers', () => {
    const ended: string[] = [];
    const host = new ConnectionRig((call) =>
      call.receive({ data() {}, end: () => ended.push(call.headers['x-name'] ?? '') }),
    );
    const named = (name: string): [string, string][] => [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', '/'],
      ['x-name', name],
    ];
    host.send(
      request(1, 0, named('data')),
      request(3, END_STREAM, named('headers')),
      request(5, 0, named('trailers')),
    );
    expect(ended).toEqual(['headers']);
    host.send(data(1, Buffer.alloc(0), END_STREAM), request(5, END_STREAM, [['x-sum', '1']]));
    expect(ended).toEqual(['headers', 'data', 'trailers']);
  });

  it('joins headers of one name', () => {
    let headers: Readonly<Record<string, string>> = {};
    const host = new ConnectionRig((call) => {
      headers = call.headers;
    });
    host.send(
      request(1, END_STREAM, [
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', '/'],
        ['x-a', '1'],
        ['cookie', 'a=1'],
        ['x-a', '2'],
        ['cookie', 'b=2'],
        ['__proto__', 'no'],
      ]),
    );
    expect({ ...headers }).toEqual({ 'x-a': '1, 2', cookie: 'a=1; b=2', ['__proto__']: 'no' });
  });
});

describe('a host that misbehaves without breaking a rule', () => {
  const rapidReset = (stream: number) => [request(stream), frame(TYPE.RST_STREAM, 0, stream, u32(8))];

  it('may reset a thousand calls at once, and 33 in each further second', async () => {
    const host = new ConnectionRig(holding);
    let stream = -1;
    const next = () => {
      stream += 2;
      return stream;
    };
    for (let count = 0; count < 1000; count++) host.send(...rapidReset(next()));
    expect(host.faults).toEqual([]);
    host.nowMs += 1000;
    for (let count = 0; count < 33; count++) host.send(...rapidReset(next()));
    expect(host.faults).toEqual([]);
    host.send(...rapidReset(next()));
    await host.quiet();
    expect(host.faults.map((fault) => fault.code)).toEqual([H2_ERROR.ENHANCE_YOUR_CALM]);
  });

  it('may not make us reset more calls than it may reset itself', () => {
    const host = new ConnectionRig(holding);
    for (let count = 0; count <= 1000; count++) {
      host.send(request(2 * count + 1), frame(TYPE.WINDOW_UPDATE, 0, 2 * count + 1, u32(0)));
    }
    expect(host.faults.map((fault) => fault.code)).toEqual([H2_ERROR.ENHANCE_YOUR_CALM]);
  });

  it('may answer calls as often as it likes', async () => {
    const host = new ConnectionRig((call) => call.receive({ data() {}, end: () => call.end(0) }));
    for (let count = 0; count < 3000; count++) {
      host.send(request(2 * count + 1, END_STREAM));
      if (count % 200 === 0) await host.quiet();
    }
    expect(host.faults).toEqual([]);
  });

  it.each([
    ['PING', frame(TYPE.PING, 0, 0, u32(1, 2))],
    ['SETTINGS', settings()],
  ])('may not ask with %s for ever without reading the answers', async (_name, one) => {
    const host = new ConnectionRig(holding);
    host.reading = false;
    await host.turn();
    const burst = Buffer.concat(Array.from({ length: 1000 }, () => one));
    let sent = 0;
    while (host.faults.length === 0 && sent < 1000) {
      host.send(burst);
      sent++;
    }
    expect(host.faults.map((fault) => fault.code)).toEqual([H2_ERROR.ENHANCE_YOUR_CALM]);
    expect(host.connection.output.controlBytes).toBeLessThan(1.1 * MIB);
  });
});

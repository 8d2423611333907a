import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { PipeDuplex } from '../../src/plugin/pipeDuplex.ts';
import { type Call, type CallHandler, GRPC_STATUS } from '../../src/plugin/transport.ts';
import { END_STREAM, frame, PREFACE, request, settings, TYPE, u32 } from '../support/h2Frames.ts';
import { hostPipes } from '../support/hostPipes.ts';
import { answerOf, type NodeHost, nodeHost } from '../support/nodeHost.ts';
import { TRANSPORTS } from './transports.ts';

/** Collects calls and leaves them open. */
function collector() {
  const calls: Call[] = [];
  const waiting: (() => void)[] = [];
  const ended = new Set<Call>();
  const onCall: CallHandler = (call) => {
    calls.push(call);
    call.receive({
      data: (bytes) => call.credit(bytes.length),
      end: () => ended.add(call),
    });
    for (const wake of waiting.splice(0)) wake();
  };
  const nth = async (index: number): Promise<Call> => {
    while (calls[index] === undefined) await new Promise<void>((resolve) => waiting.push(resolve));
    return calls[index];
  };
  return { onCall, nth, calls, ended };
}

const aborted = (call: Call) =>
  new Promise<unknown>((resolve) => {
    if (call.signal.aborted) resolve(call.signal.reason);
    else call.signal.addEventListener('abort', () => resolve(call.signal.reason));
  });
const CANCELLED = expect.objectContaining({ code: 'CANCELLED' });

/** Resolves when the plugin has taken all that was sent before. */
const pinged = (host: NodeHost) =>
  new Promise<void>((resolve, reject) => {
    host.session.ping((error) => (error ? reject(error) : resolve()));
  });

describe.each(TRANSPORTS)('the %s transport', (_name, serve) => {
  it('shows path and headers of a call', async () => {
    const { onCall, nth } = collector();
    const host = nodeHost(serve, onCall);
    host.call('/store.Store/Put', { 'grpc-timeout': '5S', 'x-long': 'l'.repeat(20_000) });
    const call = await nth(0);
    expect(call.path).toBe('/store.Store/Put');
    expect(call.headers).toMatchObject({
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': '5S',
      'x-long': 'l'.repeat(20_000),
    });
    expect(Object.keys(call.headers).filter((name) => name.startsWith(':'))).toEqual([]);
    await host.leave();
  });

  it('sends headers, bytes and trailers', async () => {
    const host = nodeHost(serve, (call) => {
      call.receive({
        data() {},
        end() {
          call.write([Buffer.from('one '), new Uint8Array(Buffer.from('two')), Buffer.alloc(0)]);
          call.write([Buffer.alloc(50_000, 'x')]);
          call.end(GRPC_STATUS.NOT_FOUND, 'Es gibt kein solches Objekt: 100 % „weg“.');
          call.end(GRPC_STATUS.OK);
          call.write([Buffer.from('too late')]);
        },
      });
    });
    const { bytes, headers, code } = await answerOf(host.call('/store.Store/Get').end());
    expect(bytes.toString()).toBe(`one two${'x'.repeat(50_000)}`);
    expect(headers).toMatchObject({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': '5',
      'grpc-message': 'Es gibt kein solches Objekt: 100 %25 %E2%80%9Eweg%E2%80%9C.',
    });
    expect(code).toBe(0);
    await host.leave();
  });

  it('answers without a body', async () => {
    const host = nodeHost(serve, (call) => {
      call.receive({ data() {}, end: () => call.end(GRPC_STATUS.UNIMPLEMENTED, 'no such call') });
    });
    const { headers, code } = await answerOf(host.call('/store.Store/Nothing').end());
    expect(headers).toMatchObject({ ':status': 200, 'grpc-status': '12', 'grpc-message': 'no such call' });
    expect(code).toBe(0);
    await host.leave();
  });

  it('may end a call while the host is still sending: the host reads the status and stops', async () => {
    const host = nodeHost(serve, (call) => {
      let received = 0;
      call.receive({
        data(bytes) {
          received += bytes.length;
          if (received >= 100_000) call.end(GRPC_STATUS.RESOURCE_EXHAUSTED, 'the disk is full');
        },
        end() {},
      });
    });
    const stream = host.call('/store.Store/Put');
    stream.write(Buffer.alloc(8 * 1024 * 1024));
    // Node's client does not give up a write that waits, though it is told to.
    stream.on('end', () => setImmediate(() => stream.destroy()));
    const { headers } = await answerOf(stream);
    expect(headers).toMatchObject({ 'grpc-status': '8', 'grpc-message': 'the disk is full' });
    await pinged(host);
    await host.leave();
  });

  it('aborts a call that the host cancels, and no other', async () => {
    const { onCall, nth } = collector();
    const host = nodeHost(serve, onCall);
    const [first, second] = [host.call('/a'), host.call('/b')];
    const [cancelledCall, other] = [await nth(0), await nth(1)];
    first.close(8);
    expect(await aborted(cancelledCall)).toEqual(CANCELLED);
    expect(cancelledCall.write([Buffer.alloc(10 * 1024 * 1024)])).toBeUndefined();
    cancelledCall.end(GRPC_STATUS.OK);
    expect(other.signal.aborted).toBe(false);
    other.end(GRPC_STATUS.OK);
    expect((await answerOf(second.end())).headers).toMatchObject({ 'grpc-status': '0' });
    await host.leave();
  });

  it('lets a writer go on whose host cancels while it waits for room', async () => {
    const { onCall, nth } = collector();
    const host = nodeHost(serve, onCall);
    const stream = host.call('/store.Store/Get');
    const call = await nth(0);
    // Nobody reads the answer, so that the window stays shut.
    const room = call.write([Buffer.alloc(8 * 1024 * 1024)]);
    expect(room).toBeInstanceOf(Promise);
    stream.close(8);
    await room;
    await aborted(call);
    await host.leave();
  });

  it('aborts open calls when the host is gone, and is closed then', async () => {
    const { onCall, nth } = collector();
    const host = nodeHost(serve, onCall);
    host.call('/a').write(Buffer.alloc(10));
    host.call('/b').end();
    const calls = [await nth(0), await nth(1)];
    const reasons = calls.map(aborted);
    await host.leave();
    expect(calls.map((call) => call.signal.aborted)).toEqual([true, true]);
    expect(await host.connection.closed).toBeUndefined();
    expect(await Promise.all(reasons)).toEqual([CANCELLED, CANCELLED]);
    for (const call of calls) {
      expect(call.write([Buffer.from('x')])).toBeUndefined();
      call.end(GRPC_STATUS.OK);
    }
  });

  it('does not abort a call that has ended when its host leaves', async () => {
    const calls: Call[] = [];
    const host = nodeHost(serve, (call) => {
      calls.push(call);
      call.receive({ data() {}, end: () => call.end(GRPC_STATUS.OK) });
    });
    await answerOf(host.call('/a').end());
    await host.leave();
    expect(calls[0]?.signal.aborted).toBe(false);
  });

  it('turns what the service throws into the end of that call', async () => {
    const host = nodeHost(serve, (call) => {
      if (call.path === '/handler') throw new Error('a defect in the handler');
      call.receive({
        data() {
          throw new Error('a defect with bytes');
        },
        end() {
          throw new Error('a defect at the end');
        },
      });
    });
    const messages = await Promise.all([
      answerOf(host.call('/handler').end()),
      answerOf(host.call('/data').end('x')),
      answerOf(host.call('/end').end()),
    ]);
    expect(messages.map(({ headers }) => headers['grpc-status'])).toEqual(['13', '13', '13']);
    expect(messages.map(({ headers }) => headers['grpc-message'])).toEqual([
      expect.stringContaining('a defect in the handler'),
      expect.stringContaining('a defect with bytes'),
      expect.stringContaining('a defect at the end'),
    ]);
    await host.leave();
  });

  it('shuts down: no new calls, those under way end, then both pipes close', async () => {
    const { onCall, nth, calls } = collector();
    const host = nodeHost(serve, onCall);
    const stream = host.call('/a');
    const call = await nth(0);
    const goAway = once(host.session, 'goaway');
    const down = host.connection.shutdown(20_000);
    expect((await goAway)[0]).toBe(0);
    call.write([Buffer.alloc(4 * 1024 * 1024, 's')]);
    call.end(GRPC_STATUS.OK);
    const { bytes, headers } = await answerOf(stream.end());
    expect(bytes.length).toBe(4 * 1024 * 1024);
    expect(headers).toMatchObject({ 'grpc-status': '0' });
    await down;
    expect(await host.connection.closed).toBeUndefined();
    expect(calls).toHaveLength(1);
    await host.leave();
  });

  it('shuts down at once when there is nothing to wait for', async () => {
    const host = nodeHost(serve, () => expect.unreachable());
    await once(host.session, 'connect');
    await pinged(host);
    await host.connection.shutdown(60_000);
    await host.leave();
  });

  it('aborts what has not ended when the grace is over, and the host hears why', async () => {
    const { onCall, nth } = collector();
    const host = nodeHost(serve, onCall);
    const answer = answerOf(host.call('/a').end());
    const call = await nth(0);
    const down = host.connection.shutdown(1);
    expect(await aborted(call)).toEqual(CANCELLED);
    expect((await answer).headers).toMatchObject({
      'grpc-status': '14',
      'grpc-message': expect.stringContaining('stopped'),
    });
    await down;
    await host.leave();
  });

  it('shuts down though the host does not read', async () => {
    const { onCall, nth } = collector();
    const pipes = hostPipes();
    const connection = serve(pipes.plugin, onCall);
    const host = new PipeDuplex(pipes.host);
    host.on('error', () => undefined);
    const open = frame(TYPE.WINDOW_UPDATE, 0, 0, u32(2 ** 30));
    host.write(Buffer.concat([PREFACE, settings([4, 2 ** 30]), open, request(1, END_STREAM)]));
    const call = await nth(0);
    const room = call.write([Buffer.alloc(8 * 1024 * 1024)]);
    await connection.shutdown(1);
    await room;
    expect(call.signal.aborted).toBe(true);
    host.destroy();
  });

  it('lets a writer go on that waits for room in a call that was ended', async () => {
    const { onCall, nth } = collector();
    const host = nodeHost(serve, onCall, { settings: { initialWindowSize: 0 } });
    host.call('/a').end();
    const call = await nth(0);
    await pinged(host);
    const room = call.write([Buffer.alloc(8 * 1024 * 1024)]);
    call.end(GRPC_STATUS.OK);
    await host.leave();
    await room;
    expect(call.signal.aborted).toBe(false);
  });

  it('tells a host that breaks the protocol from one that leaves', async () => {
    const pipes = hostPipes();
    const connection = serve(pipes.plugin, () => undefined);
    const host = new PipeDuplex(pipes.host);
    host.on('error', () => undefined).resume();
    host.write('this is no HTTP/2, however long one waits for it');
    expect(await connection.closed).toMatchObject({ code: 'CONNECTION_LOST' });
    host.destroy();
  });

  it('hears of a signal that is asked for only after the abort', async () => {
    const { onCall, nth } = collector();
    const host = nodeHost(serve, onCall);
    host.call('/a');
    const call = await nth(0);
    await host.leave();
    expect(call.signal.aborted).toBe(true);
    expect(call.signal.reason).toEqual(CANCELLED);
  });
});

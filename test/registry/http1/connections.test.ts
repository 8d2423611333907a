import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Connections } from '../../../src/registry/http1/connections.ts';
import type { BegunAnswer, BodyPieces } from '../../../src/registry/httpClient.ts';
import type { RegistryRequest } from '../../../src/registry/transport.ts';
import { seededBytes } from '../../support/seededBytes.ts';
import { eachRequest, type RawServer, rawServer } from './rawServer.ts';

const MIB = 1024 * 1024;
const content = seededBytes(1, 4 * MIB);
const never = new AbortController().signal;

let server: RawServer;
let connections: Connections;
afterEach(async () => {
  await connections?.close();
  await server?.close();
});

async function serve(answer: (socket: Socket, heard: string) => void, most = 8): Promise<void> {
  server = await rawServer(answer);
  connections = new Connections(server.origin, most, { connectTimeoutMs: 5000, tls: undefined });
}

function ask(more: Partial<RegistryRequest> = {}, signal = never, pieces?: BodyPieces): Promise<BegunAnswer> {
  const url = new URL('/v2/', server.origin);
  return connections.request({ kind: 'blob-read', method: 'GET', url, ...more }, signal, pieces);
}

async function bytesOf({ body }: BegunAnswer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

const whole = (socket: Socket, bytes: Uint8Array = content, status = '200 OK') => {
  socket.write(`HTTP/1.1 ${status}\r\ncontent-length: ${bytes.length}\r\n\r\n`);
  socket.write(bytes);
};

describe('a body', () => {
  it('comes in memory of its own, which nobody writes to again', async () => {
    await serve(eachRequest((socket) => whole(socket)));
    const { body } = await ask();
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk as Uint8Array);
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
  });

  it("is read into the reader's memory, and what it yields are views of it", async () => {
    await serve(eachRequest((socket) => whole(socket)));
    const memory = new Uint8Array(new SharedArrayBuffer(content.length));
    const { body } = await ask({ place: (at) => memory.subarray(at) });
    let at = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      expect([chunk.buffer === memory.buffer, chunk.byteOffset]).toEqual([true, at]);
      at += chunk.length;
    }
    expect(content.equals(memory)).toBe(true);
  });

  it("waits for the reader's memory, and stops the socket meanwhile", async () => {
    await serve(eachRequest((socket) => whole(socket)));
    const memory = new Uint8Array(MIB);
    let room = Promise.withResolvers<void>();
    let free = MIB;
    let asked = 0;
    const place = (at: number) => {
      asked++;
      return at < free ? memory.subarray(at % MIB, Math.min(MIB, (at % MIB) + free - at)) : room.promise;
    };
    const { body } = await ask({ place });
    const found: Buffer[] = [];
    let got = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      found.push(Buffer.from(chunk));
      got += chunk.length;
      if (got < free || got === content.length) continue;
      // Nothing is read while there is no room, however long it takes.
      const before = asked;
      for (let i = 0; i < 20; i++) await turn();
      expect(asked - before).toBeLessThanOrEqual(1);
      free += MIB;
      room.resolve();
      room = Promise.withResolvers();
    }
    expect(Buffer.concat(found).equals(content)).toBe(true);
  });

  it('that is whole where a part was asked for is kept out of memory that is for the part', async () => {
    await serve(eachRequest((socket) => whole(socket)));
    const place = () => {
      throw new Error('asked for room');
    };
    const answer = await ask({ headers: { range: 'bytes=5-9' }, place });
    expect((await bytesOf(answer)).equals(content)).toBe(true);
  });

  it('that nobody takes is left with its sender', async () => {
    const big = Buffer.alloc(64 * MIB);
    let sender: Socket | undefined;
    await serve(
      eachRequest((socket) => {
        sender = socket;
        whole(socket, big);
      }),
    );
    const { body } = await ask();
    const reader = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    await reader.next();
    let waiting = -1;
    while (waiting !== sender?.writableLength) {
      waiting = sender?.writableLength ?? 0;
      for (let i = 0; i < 20; i++) await turn();
    }
    // Socket buffers of both sides, and one mebibyte of ours.
    expect(waiting).toBeGreaterThan(32 * MIB);
    let got = 0;
    for (let next = await reader.next(); !next.done; next = await reader.next()) got += next.value.length;
    expect(got).toBeGreaterThan(60 * MIB);
  });

  it('comes in chunks, or up to the end of the connection', async () => {
    await serve(
      eachRequest((socket, ordinal) => {
        if (ordinal === 0)
          socket.write(
            'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nx: y\r\n\r\n',
          );
        else socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
      }),
    );
    expect((await bytesOf(await ask())).toString()).toBe('hello!');
    expect((await bytesOf(await ask())).toString()).toBe('until the end');
    expect(server.accepted).toBe(1);
  });

  it('is absent after HEAD, 204 and 304, whatever its length is said to be', async () => {
    const statuses = ['200 OK', '204 No Content', '304 Not Modified'];
    await serve(
      eachRequest((socket, ordinal) =>
        socket.write(`HTTP/1.1 ${statuses[ordinal]}\r\ncontent-length: 99\r\n\r\n`),
      ),
    );
    for (const [at, status] of [200, 204, 304].entries()) {
      const answer = await ask({ method: at === 0 ? 'HEAD' : 'GET' });
      expect([answer.status, (await bytesOf(answer)).length]).toEqual([status, 0]);
    }
    expect(server.accepted).toBe(1);
  });

  it('that breaks off fails behind what came of it', async () => {
    await serve(
      eachRequest((socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
        setImmediate(() => socket.destroy());
      }),
    );
    const { body } = await ask();
    const reader = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    expect(Buffer.from((await reader.next()).value as Uint8Array).toString()).toBe('half');
    await expect(reader.next()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('a connection', () => {
  it('serves one request after the other', async () => {
    await serve(eachRequest((socket) => whole(socket, Buffer.from('x'))));
    for (let i = 0; i < 5; i++) expect((await bytesOf(await ask())).toString()).toBe('x');
    expect(server.accepted).toBe(1);
  });

  it.each([
    ['says that it ends', 'connection: close\r\n'],
    ['has no time left', 'keep-alive: timeout=1\r\n'],
  ])('is not used again where the server %s', async (_, header) => {
    await serve(
      eachRequest((socket) => socket.write(`HTTP/1.1 200 OK\r\n${header}content-length: 1\r\n\r\nx`)),
    );
    for (let i = 0; i < 2; i++) await bytesOf(await ask());
    expect(server.accepted).toBe(2);
  });

  it('on which something comes that nobody asked for is not used again', async () => {
    await serve(
      eachRequest((socket) =>
        socket.write(
          'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil',
        ),
      ),
    );
    for (let i = 0; i < 2; i++) expect((await bytesOf(await ask())).toString()).toBe('x');
    expect(server.accepted).toBe(2);
  });

  it('is waited for where there are as many as there may be', async () => {
    const held: Socket[] = [];
    await serve(
      eachRequest((socket) => {
        held.push(socket);
      }),
      2,
    );
    const answers = Array.from({ length: 6 }, () => ask().then(bytesOf));
    for (let served = 0; served < 6; ) {
      while (held.length === 0) await turn();
      expect(server.open.size).toBeLessThanOrEqual(2);
      whole(held.shift() as Socket, Buffer.from('x'));
      served++;
    }
    expect((await Promise.all(answers)).map(String)).toEqual(Array(6).fill('x'));
    expect(server.accepted).toBe(2);
  });

  it('passes over interim answers', async () => {
    await serve(
      eachRequest((socket) =>
        socket.write(
          'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n',
        ),
      ),
    );
    expect((await ask()).status).toBe(201);
  });

  it.each([
    ['a banner', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['HTTP/2', '\0\0\x12\x04\0\0\0\0\0'],
    ['headers without an end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}`],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    ['one length twice', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\nx'],
    [
      'a length beside a coding',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    ],
    ['another coding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n'],
    ['a header that is folded', 'HTTP/1.1 200 OK\r\nx: y\r\n z\r\n\r\n'],
  ])('is ended by %s', async (_, bytes) => {
    await serve(eachRequest((socket) => socket.write(bytes, 'latin1')));
    await expect(ask()).rejects.toMatchObject({ code: 'NOT_HTTP' });
  });
});

describe('a request', () => {
  it('with a body carries its length, and head and first bytes travel together', async () => {
    let pieces = 0;
    await serve((socket, heard) => {
      pieces++;
      if (heard.endsWith('hello')) whole(socket, Buffer.alloc(0), '201 Created');
    });
    const body = { bytes: 5, slices: () => [Buffer.from('hello')] };
    const { status } = await ask({ method: 'PUT', body }, never, body.slices());
    expect([status, pieces]).toEqual([201, 1]);
    expect(server.heard).toMatch(
      /^PUT \/v2\/ HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello$/,
    );
  });

  it('says that there is no body where servers would wait for one', async () => {
    await serve(eachRequest((socket) => whole(socket, Buffer.alloc(0))));
    for (const method of ['POST', 'GET', 'DELETE'] as const) await bytesOf(await ask({ method }));
    expect(server.heard.match(/content-length: 0/g)).toHaveLength(1);
  });

  it('that is answered before it is out is given up, and its connection too', async () => {
    await serve((socket, heard) => {
      if (heard.includes('\r\n\r\n') && !socket.isPaused()) {
        socket.pause();
        socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
      }
    });
    let ended = false;
    function* endless() {
      try {
        for (;;) yield content;
      } finally {
        ended = true;
      }
    }
    const body = { bytes: 1000 * content.length, slices: endless };
    expect((await ask({ method: 'PUT', body }, never, endless())).status).toBe(413);
    while (!ended) await turn();
    // The peer does not read, so that it is not told: a new connection is made at once all the same.
    await ask().catch(() => {});
    expect(server.accepted).toBe(2);
  });

  it('whose source fails, fails with it', async () => {
    await serve(() => {});
    function* failing() {
      yield Buffer.from('x');
      throw new Error('the file has shrunk');
    }
    const body = { bytes: 5, slices: failing };
    await expect(ask({ method: 'PUT', body }, never, failing())).rejects.toThrow('the file has shrunk');
  });

  it.each([
    ['less', ['hell']],
    ['more', ['hello', '!']],
  ])('whose body has %s than it says never looks whole to the server', async (_, parts) => {
    await serve(() => {});
    const body = { bytes: 5, slices: () => parts.map((part) => Buffer.from(part)) };
    await expect(ask({ method: 'PUT', body }, never, body.slices())).rejects.toThrow(
      'expected a request body of 5 bytes',
    );
    expect(server.heard).not.toMatch(/hello!/);
  });

  it('with a line break in a header is refused', async () => {
    await serve(() => {});
    await expect(ask({ headers: { authorization: 'x\r\nevil: y' } })).rejects.toThrow(
      'invalid header authorization',
    );
    expect(server.accepted).toBe(0);
  });

  it.each(['before', 'while it waits', 'in the middle of the body'])('is cancelled %s', async (when) => {
    await serve(
      eachRequest((socket) => {
        if (when === 'in the middle of the body')
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
      }),
    );
    const stop = new AbortController();
    const reason = new Error('enough');
    if (when === 'before') stop.abort(reason);
    const asked = ask({}, stop.signal).then(bytesOf);
    asked.catch(() => {});
    if (when !== 'before') while (!server.heard.includes('\r\n\r\n')) await turn();
    stop.abort(reason);
    await expect(asked).rejects.toBe(reason);
    while (server.open.size > 0 && when !== 'before') await turn();
  });

  it('that waits for a connection is cancelled without one', async () => {
    await serve(() => {}, 1);
    const first = ask();
    first.catch(() => {});
    while (server.accepted === 0) await turn();
    const stop = new AbortController();
    const second = ask({}, stop.signal);
    stop.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    await connections.close();
    await expect(first).rejects.toMatchObject({ code: 'ECONNABORTED' });
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNABORTED' });
  });

  it('to a port where nobody listens fails with the reason', async () => {
    await serve(() => {});
    const gone = new Connections(server.origin, 1, { connectTimeoutMs: 5000, tls: undefined });
    await server.close();
    const url = new URL('/v2/', server.origin);
    const asked = gone.request({ kind: 'ping', method: 'GET', url }, never, undefined);
    await expect(asked).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await gone.close();
  });
});

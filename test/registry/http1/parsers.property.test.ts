/** Our parsers beside Node's own client, which reads the same bytes off a socket of its own. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChunkedBody } from '../../../src/registry/http1/chunkedBody.ts';
import { Connections } from '../../../src/registry/http1/connections.ts';
import { parseResponseHead } from '../../../src/registry/http1/responseHead.ts';
import { type RawServer, rawServer } from './rawServer.ts';

const RUNS = 300;
const name = fc.constantFrom('x', 'X-Thing', 'location', 'link', 'WWW-Authenticate', 'docker-content-digest');
const value = fc.constantFrom('', 'a', 'a b\tc', '  padded  ', 'a, b', '"quoted: x"', 'ü');
const headers = fc.array(fc.tuple(name, value), { maxLength: 6 });
const body = fc.uint8Array({ maxLength: 3000 });
const framing = fc.constantFrom('length', 'chunked', 'close');
/** Something that a broken or hostile server may put in. */
const damage = fc.constantFrom(
  '',
  '\r',
  '\n',
  '\0',
  ':',
  ' : ',
  'content-length: 1\r\n',
  'transfer-encoding: chunked\r\n',
  'Content-Length: +5\r\n',
  'content-length: 0x5\r\n',
  'transfer-encoding: identity\r\n',
  '\r\n\r\n',
  'HTTP/1.1 200 OK\r\n',
  ' folded\r\n',
);

interface Made {
  readonly wire: Buffer;
  readonly cuts: readonly number[];
}

const made: fc.Arbitrary<Made> = fc
  .record({
    status: fc.constantFrom('200 OK', '206 Partial Content', '404 ', '500', '503 Überlast'),
    minor: fc.constantFrom('0', '1'),
    headers,
    body,
    framing,
    chunkBytes: fc.integer({ min: 1, max: 1000 }),
    hurt: fc.option(fc.tuple(damage, fc.nat(400)), { freq: 2 }),
    cuts: fc.array(fc.nat(4000), { maxLength: 5 }),
  })
  .map((it) => {
    const lines = [`HTTP/1.${it.minor} ${it.status}`, ...it.headers.map(([key, text]) => `${key}: ${text}`)];
    if (it.framing === 'length') lines.push(`content-length: ${it.body.length}`);
    if (it.framing === 'chunked') lines.push('Transfer-Encoding: Chunked');
    let head = `${lines.join('\r\n')}\r\n\r\n`;
    if (it.hurt) {
      const at = it.hurt[1] % head.length;
      head = head.slice(0, at) + it.hurt[0] + head.slice(at);
    }
    const sent = it.framing === 'chunked' ? inChunks(it.body, it.chunkBytes) : Buffer.from(it.body);
    return { wire: Buffer.concat([Buffer.from(head, 'latin1'), sent]), cuts: it.cuts };
  });

function inChunks(bytes: Uint8Array, chunkBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const part = bytes.subarray(at, at + chunkBytes);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), Buffer.from(part), Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

interface Read {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

describe('an answer', () => {
  let server: RawServer;
  let wire: Made = { wire: Buffer.alloc(0), cuts: [] };
  beforeAll(async () => {
    server = await rawServer((socket, heard) => {
      if (!heard.endsWith('\r\n\r\n')) return;
      const places = [0, ...wire.cuts.map((cut) => cut % (wire.wire.length + 1)), wire.wire.length].sort(
        (a, b) => a - b,
      );
      for (const [at, place] of places.slice(1).entries())
        socket.write(wire.wire.subarray(places[at], place));
      socket.end();
    });
  });
  afterAll(() => server.close());

  async function byUs(): Promise<Read | undefined> {
    const connections = new Connections(server.origin, 1, { connectTimeoutMs: 5000, tls: undefined });
    try {
      const url = new URL('/', server.origin);
      const signal = new AbortController().signal;
      const answer = await connections.request({ kind: 'ping', method: 'GET', url }, signal, undefined);
      const chunks: Uint8Array[] = [];
      for await (const chunk of answer.body) chunks.push(chunk as Uint8Array);
      return {
        status: answer.status,
        headers: { ...answer.headers },
        body: Buffer.concat(chunks).toString('latin1'),
      };
    } catch {
      return undefined;
    } finally {
      await connections.close();
    }
  }

  async function byNode(): Promise<Read | undefined> {
    try {
      const request = get(server.origin, { agent: false });
      // Node may complain of what comes behind an answer when that was read long ago, and would end the process with it.
      request.on('error', () => {});
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      const chunks: Uint8Array[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      const seen: Record<string, string> = {};
      for (const [key, values] of Object.entries(answer.headersDistinct))
        seen[key] = (values ?? []).join(', ');
      return {
        status: answer.statusCode ?? 0,
        headers: seen,
        body: Buffer.concat(chunks).toString('latin1'),
      };
    } catch {
      return undefined;
    }
  }

  it('that we take is the one that Node reads, however it is cut; what Node refuses, we refuse', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(made, async (next) => {
        wire = next;
        const [ours, nodes] = [await byUs(), await byNode()];
        if (!ours) return;
        taken++;
        expect(ours).toEqual(nodes);
      }),
      { numRuns: RUNS },
    );
    // Nearly all that are not damaged.
    expect(taken).toBeGreaterThan(RUNS / 3);
  });
});

describe('a chunked body', () => {
  it('has the same content in whatever pieces it comes, and leaves what follows', () => {
    fc.assert(
      fc.property(
        body,
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 64 }),
        fc.string(),
        (bytes, chunkBytes, step, after) => {
          const sent = Buffer.concat([inChunks(bytes, chunkBytes), Buffer.from(after)]);
          const chunked = new ChunkedBody();
          const content: Buffer[] = [];
          let used = 0;
          for (let at = 0; at < sent.length && !chunked.done; at += step)
            used += chunked.push(sent.subarray(at, at + step), (part) => content.push(Buffer.from(part)));
          expect(chunked.done).toBe(true);
          expect(Buffer.concat(content).equals(bytes)).toBe(true);
          expect(sent.length - used).toBe(Buffer.byteLength(after));
        },
      ),
    );
  });

  it('of any bytes ends in content, in need of more, or in an error of ours', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          new ChunkedBody().push(bytes, () => {});
        } catch (error) {
          expect(error).toMatchObject({ code: 'NOT_HTTP' });
        }
      }),
    );
  });
});

describe('a head', () => {
  it('of any text is read or refused by name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          parseResponseHead(`HTTP/1.1 200 OK\r\n${text}`, 'GET');
        } catch (error) {
          expect(error).toMatchObject({ code: 'NOT_HTTP' });
        }
      }),
    );
  });
});

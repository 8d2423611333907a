/** What a transport promises, whichever client makes its requests. */
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { readBody } from '../../src/registry/body.ts';
import { type HttpTransport, httpTransport } from '../../src/registry/httpTransport.ts';
import type { RegistryRequest } from '../../src/registry/transport.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { eachRequest, type RawServer, rawServer } from './http1/rawServer.ts';

/** What a port that speaks TLS says to a request in plain HTTP: an unexpected message. */
const TLS_ALERT = Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x0a]);
const content = seededBytes(1, 3 * 1024 * 1024);

describe.each(['our own', 'undici'])('a transport with %s client', (name) => {
  let server: RawServer;
  let http: HttpTransport;
  afterEach(async () => {
    await http?.close();
    await server?.close();
  });

  async function serve(answer: Parameters<typeof rawServer>[0], stallTimeoutMs?: number): Promise<void> {
    server = await rawServer(answer);
    const env = name === 'undici' ? { KLOSET_OCI_HTTP: 'undici' } : {};
    http = httpTransport({ ...(stallTimeoutMs && { stallTimeoutMs }) }, { env });
  }

  const request = (more: Partial<RegistryRequest> = {}): RegistryRequest => ({
    kind: 'blob-read',
    method: 'GET',
    url: new URL('/v2/x', server.origin),
    ...more,
  });

  it('gives status, headers in lower case, and the whole body', async () => {
    await serve(
      eachRequest((socket) => {
        socket.write(
          `HTTP/1.1 206 Partial Content\r\nX-Thing: a\r\nX-Thing: b\r\nContent-Length: ${content.length}\r\n\r\n`,
        );
        socket.write(content);
      }),
    );
    const answer = await http.send(request({ headers: { range: 'bytes=0-' } }));
    expect([answer.status, answer.headers['x-thing']]).toEqual([206, 'a, b']);
    expect(content.equals(await readBody(answer, content.length, 'body'))).toBe(true);
  });

  it('sends a body again from its start at each call, and says what has gone out', async () => {
    let whole = 0;
    await serve((socket, heard) => {
      const [head = '', body = ''] = heard.split(/\r\n\r\n(.*)/s);
      if (body.length < content.length) return;
      expect(head).toContain(`content-length: ${content.length}`);
      if (Buffer.from(body, 'latin1').equals(content)) whole++;
      socket.end('HTTP/1.1 201 Created\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
    const body = { bytes: content.length, slices: () => [content.subarray(0, 1000), content.subarray(1000)] };
    for (let i = 0; i < 2; i++) {
      let sent = 0;
      const answer = await http.send(request({ method: 'PUT', body, onSent: (bytes) => (sent += bytes) }));
      await readBody(answer, 0, 'body');
      expect([answer.status, sent]).toEqual([201, content.length]);
    }
    expect(whole).toBe(2);
  });

  it('frees the connection of a body that nobody wants', async () => {
    await serve(eachRequest((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf')));
    const answer = await http.send(request());
    await answer.body.cancel();
    while (server.open.size > 0) await turn();
  });

  it('ends with STALLED where nothing comes, before the answer and in its middle', async () => {
    await serve(
      eachRequest((socket) => {
        if (server.heard.includes('/started'))
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
      }),
      1000,
    );
    await expect(http.send(request())).rejects.toMatchObject({ code: 'STALLED' });
    const answer = await http.send(request({ url: new URL('/started', server.origin) }));
    await expect(readBody(answer, 10, 'body')).rejects.toMatchObject({ code: 'STALLED' });
    while (server.open.size > 0) await turn();
  });

  it('ends with CANCELLED where its signal says so', async () => {
    await serve(() => {});
    const stop = new AbortController();
    const asked = http.send(request({ signal: stop.signal }));
    asked.catch(() => {});
    while (!server.heard.includes('\r\n\r\n')) await turn();
    stop.abort();
    await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(http.send(request({ signal: stop.signal }))).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('names a connection that broke, and a port that is shut', async () => {
    await serve(eachRequest((socket) => socket.destroy()));
    await expect(http.send(request())).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    const shut = request();
    await server.close();
    await expect(http.send(shut)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    await serve(() => {});
  });

  it('names a port that speaks TLS', async () => {
    await serve(eachRequest((socket) => socket.write(TLS_ALERT)));
    await expect(http.send(request())).rejects.toMatchObject({ code: 'TLS_MISMATCH' });
  });
});

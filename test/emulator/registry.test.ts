import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { call, errorCode, manifestOf, openUpload, pushBlob, putManifest, sha } from './support.ts';

describe.each(['memory', 'directory'])('a registry in %s', (mode) => {
  let registry: RunningRegistry;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kloset-oci-emulator-'));
    registry = await startRegistry(mode === 'memory' ? {} : { directory: folder });
  });

  afterEach(async () => {
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  });

  const get = (digest: string, headers: Record<string, string> = {}) =>
    call(registry, 'GET', `/v2/a/b/blobs/${digest}`, { headers });

  describe('uploads', () => {
    test('by POST and PUT, larger than every buffer on the way', async () => {
      const bytes = randomBytes(9_000_001);
      const digest = await pushBlob(registry, 'a/b', bytes);
      const reply = await get(digest);
      expect(reply.body.equals(bytes)).toBe(true);
      expect(reply.headers['docker-content-digest']).toBe(digest);
      expect(registry.openSessions()).toEqual([]);
    });

    test('by a single POST', async () => {
      const digest = sha('one');
      const reply = await call(registry, 'POST', `/v2/a/b/blobs/uploads/?digest=${digest}`, { body: 'one' });
      expect(reply.status).toBe(201);
      expect(reply.headers.location).toBe(`/v2/a/b/blobs/${digest}`);
      expect((await get(digest)).body.toString()).toBe('one');
    });

    test('in chunks, and the status tells how far they came', async () => {
      const location = await openUpload(registry, 'a/b');
      const first = await call(registry, 'PATCH', location, {
        body: 'abc',
        headers: { 'Content-Range': '0-2' },
      });
      expect(first.status).toBe(202);
      expect(first.headers.range).toBe('0-2');
      const status = await call(registry, 'GET', location);
      expect(status.status).toBe(204);
      expect(status.headers.range).toBe('0-2');
      const last = await call(registry, 'PUT', `${location}?digest=${sha('abcdef')}`, {
        body: 'def',
        headers: { 'Content-Range': '3-5' },
      });
      expect(last.status).toBe(201);
      expect((await get(sha('abcdef'))).body.toString()).toBe('abcdef');
    });

    test('as a stream without a length', async () => {
      const location = await openUpload(registry, 'a/b');
      const headers = { 'Transfer-Encoding': 'chunked' };
      expect((await call(registry, 'PATCH', location, { body: 'stream', headers })).status).toBe(202);
      expect((await call(registry, 'PUT', `${location}?digest=${sha('stream')}`)).status).toBe(201);
    });

    test('refuses a chunk or closing PUT out of order with 416 and keeps the session', async () => {
      const location = await openUpload(registry, 'a/b');
      await call(registry, 'PATCH', location, { body: 'abc' });
      const headers = { 'Content-Range': '4-6' };
      const chunk = await call(registry, 'PATCH', location, { body: 'efg', headers });
      const last = await call(registry, 'PUT', `${location}?digest=${sha('abcefg')}`, {
        body: 'efg',
        headers,
      });
      expect([chunk.status, chunk.headers.range, chunk.headers.location]).toEqual([416, '0-2', location]);
      expect(last.status).toBe(416);
      expect((await call(registry, 'PUT', `${location}?digest=${sha('abc')}`)).status).toBe(201);
    });

    test('refuses a Content-Range that is malformed or unlike the length', async () => {
      const location = await openUpload(registry, 'a/b');
      for (const range of ['bytes 0-2/3', '0-1']) {
        const reply = await call(registry, 'PATCH', location, {
          body: 'abc',
          headers: { 'Content-Range': range },
        });
        expect(reply.status).toBe(400);
      }
      expect(registry.openSessions()).toMatchObject([{ repository: 'a/b', bytes: 0 }]);
    });

    test('refuses bytes of another digest and stores nothing', async () => {
      const location = await openUpload(registry, 'a/b');
      const reply = await call(registry, 'PUT', `${location}?digest=${sha('x')}`, { body: 'y' });
      expect([reply.status, errorCode(reply)]).toEqual([400, 'DIGEST_INVALID']);
      expect((await get(sha('x'))).status).toBe(404);
      expect((await get(sha('y'))).status).toBe(404);
    });

    test('takes an empty blob', async () => {
      const digest = await pushBlob(registry, 'a/b', '');
      const reply = await get(digest);
      expect([reply.status, reply.headers['content-length']]).toEqual([200, '0']);
      expect((await get(digest, { Range: 'bytes=0-0' })).status).toBe(416);
    });

    test.each(['?digest-algorithm=sha512', ''])('takes sha512, announced as %j', async (query) => {
      const location = await openUpload(registry, 'a/b', query);
      const digest = sha('long digest', 'sha512');
      await call(registry, 'PATCH', location, { body: 'long ' });
      expect((await call(registry, 'PUT', `${location}?digest=${digest}`, { body: 'digest' })).status).toBe(
        201,
      );
      expect((await get(digest)).body.toString()).toBe('long digest');
    });

    test('refuses an unknown algorithm', async () => {
      const reply = await call(registry, 'POST', '/v2/a/b/blobs/uploads/?digest-algorithm=md5');
      expect(reply.status).toBe(400);
    });

    test('forgets a cancelled session, and all of them on request', async () => {
      const location = await openUpload(registry, 'a/b');
      await call(registry, 'PATCH', location, { body: 'abc' });
      expect((await call(registry, 'DELETE', location)).status).toBe(204);
      expect((await call(registry, 'GET', location)).status).toBe(404);
      const other = await openUpload(registry, 'a/b');
      await registry.forgetSessions();
      expect(errorCode(await call(registry, 'PATCH', other, { body: 'x' }))).toBe('BLOB_UPLOAD_UNKNOWN');
    });

    test('keeps what arrived of a chunk when its connection breaks', async () => {
      const location = await openUpload(registry, 'a/b');
      const broken = request(`${registry.url}${location}`, {
        method: 'PATCH',
        headers: { 'Content-Length': '10' },
        agent: false,
      });
      broken.on('error', () => {});
      broken.write('abcde');
      await expect.poll(() => registry.openSessions()[0]?.bytes, { interval: 1 }).toBe(5);
      broken.destroy();
      const status = await call(registry, 'GET', location);
      expect(status.headers.range).toBe('0-4');
      const headers = { 'Content-Range': '5-9' };
      expect((await call(registry, 'PATCH', location, { body: 'fghij', headers })).status).toBe(202);
      expect((await call(registry, 'PUT', `${location}?digest=${sha('abcdefghij')}`)).status).toBe(201);
    });

    test('takes the same blob from many clients at once', async () => {
      const bytes = randomBytes(300_000);
      const digests = await Promise.all(
        Array.from({ length: 16 }, (_, i) => pushBlob(registry, `r${i % 4}`, bytes)),
      );
      for (let i = 0; i < 4; i++) {
        const reply = await call(registry, 'GET', `/v2/r${i}/blobs/${digests[0]}`);
        expect(reply.body.equals(bytes)).toBe(true);
      }
    });
  });

  describe('blobs', () => {
    test('are mounted from another repository, and an unknown one opens a session', async () => {
      const digest = await pushBlob(registry, 'from/here', 'mounted');
      const path = `/v2/a/b/blobs/uploads/?mount=${digest}`;
      expect((await call(registry, 'POST', path)).status).toBe(202);
      expect((await call(registry, 'POST', `${path}&from=else/where`)).status).toBe(202);
      expect((await call(registry, 'POST', `${path}&from=from/here`)).status).toBe(201);
      await call(registry, 'DELETE', `/v2/from/here/blobs/${digest}`);
      expect((await get(digest)).body.toString()).toBe('mounted');
    });

    test.each([
      ['bytes=2-4', 206, 'cde', 'bytes 2-4/10'],
      ['bytes=7-', 206, 'hij', 'bytes 7-9/10'],
      ['bytes=-2', 206, 'ij', 'bytes 8-9/10'],
      ['bytes=-99', 206, 'abcdefghij', 'bytes 0-9/10'],
      ['bytes=8-99', 206, 'ij', 'bytes 8-9/10'],
      ['bytes=4-2', 200, 'abcdefghij', undefined],
      ['bytes=0-1,3-4', 200, 'abcdefghij', undefined],
      ['pages=1-2', 200, 'abcdefghij', undefined],
    ])('serve the range %s', async (range, status, text, contentRange) => {
      const digest = await pushBlob(registry, 'a/b', 'abcdefghij');
      const reply = await get(digest, { Range: range });
      expect([reply.status, reply.body.toString()]).toEqual([status, text]);
      expect(reply.headers['content-range']).toBe(contentRange);
    });

    test('refuse a range outside with 416', async () => {
      const digest = await pushBlob(registry, 'a/b', 'abcdefghij');
      for (const range of ['bytes=10-', 'bytes=-0']) {
        const reply = await get(digest, { Range: range });
        expect([reply.status, reply.headers['content-range']]).toEqual([416, 'bytes */10']);
      }
    });

    test('serve a range in the middle of a large blob', async () => {
      const bytes = randomBytes(3_000_000);
      const digest = await pushBlob(registry, 'a/b', bytes);
      const reply = await get(digest, { Range: 'bytes=123456-2345678' });
      expect(reply.body.equals(bytes.subarray(123456, 2345679))).toBe(true);
    });

    test('answer HEAD with the length and are gone after DELETE', async () => {
      const digest = await pushBlob(registry, 'a/b', 'abc');
      const head = await call(registry, 'HEAD', `/v2/a/b/blobs/${digest}`);
      expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '3', 0]);
      expect((await call(registry, 'DELETE', `/v2/a/b/blobs/${digest}`)).status).toBe(202);
      expect((await call(registry, 'DELETE', `/v2/a/b/blobs/${digest}`)).status).toBe(404);
      expect(errorCode(await get(digest))).toBe('BLOB_UNKNOWN');
    });

    test('can be corrupted and dropped behind the back of the registry', async () => {
      const digest = await pushBlob(registry, 'a/b', 'abc');
      await registry.corruptBlob('a/b', digest, Buffer.from('wrong'));
      expect((await get(digest)).body.toString()).toBe('wrong');
      await registry.dropBlob('a/b', digest);
      expect((await get(digest)).status).toBe(404);
      await expect(registry.dropBlob('a/b', digest)).rejects.toMatchObject({ code: 'BLOB_MISSING' });
    });
  });

  describe('manifests', () => {
    const at = (method: string, reference: string) =>
      call(registry, method, `/v2/a/b/manifests/${reference}`);

    test('are found by tag and digest; a tag goes alone, a digest takes its tags along', async () => {
      const bytes = await manifestOf(registry, 'a/b');
      const digest = sha(bytes);
      expect((await putManifest(registry, 'a/b', 'one', bytes)).headers['docker-content-digest']).toBe(
        digest,
      );
      await putManifest(registry, 'a/b', 'two', bytes);
      expect((await at('GET', 'one')).body.equals(bytes)).toBe(true);
      expect((await at('HEAD', digest)).headers['content-length']).toBe(String(bytes.length));
      expect((await at('DELETE', 'one')).status).toBe(202);
      expect((await at('GET', digest)).status).toBe(200);
      expect((await at('DELETE', digest)).status).toBe(202);
      expect(errorCode(await at('GET', 'two'))).toBe('MANIFEST_UNKNOWN');
      const tags = await call(registry, 'GET', '/v2/a/b/tags/list');
      expect(JSON.parse(tags.body.toString())).toEqual({ name: 'a/b', tags: [] });
    });

    test('get several tags from one PUT', async () => {
      const bytes = await manifestOf(registry, 'a/b');
      const reply = await putManifest(registry, 'a/b', `${sha(bytes)}?tag=x&tag=y`, bytes);
      expect(reply.headers['oci-tag']).toBe('x, y');
      expect((await at('HEAD', 'y')).headers['docker-content-digest']).toBe(sha(bytes));
    });

    test('keep a tag that moved to another manifest', async () => {
      const first = await manifestOf(registry, 'a/b');
      const second = await manifestOf(registry, 'a/b', { annotations: { n: '2' } });
      await putManifest(registry, 'a/b', 'latest', first);
      await putManifest(registry, 'a/b', 'latest', second);
      await at('DELETE', sha(first));
      expect((await at('GET', 'latest')).body.equals(second)).toBe(true);
    });

    test('are refused when malformed, too large, of another digest or without their blobs', async () => {
      const bytes = await manifestOf(registry, 'a/b');
      const lost = { mediaType: 'x/y', digest: sha('never pushed'), size: 12 };
      const sparse = await manifestOf(registry, 'a/b', { layers: [lost] });
      const put = async (reference: string, body: Buffer) => {
        const reply = await putManifest(registry, 'a/b', reference, body);
        return [reply.status, errorCode(reply)];
      };
      expect(await put('t', Buffer.from('{'))).toEqual([400, 'MANIFEST_INVALID']);
      expect(await put('t', Buffer.alloc((4 << 20) + 1, ' '))).toEqual([413, 'SIZE_INVALID']);
      expect(await put(sha('other'), bytes)).toEqual([400, 'DIGEST_INVALID']);
      expect(await put('t', sparse)).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
    });

    test('are listed as referrers of their subject, also by type', async () => {
      const subject = { mediaType: 'x/y', digest: sha('subject'), size: 7 };
      const one = await manifestOf(registry, 'a/b', {
        subject,
        artifactType: 'type/one',
        annotations: { k: 'v' },
      });
      const two = await manifestOf(registry, 'a/b', { subject, artifactType: 'type/two' });
      expect((await putManifest(registry, 'a/b', sha(one), one)).headers['oci-subject']).toBe(subject.digest);
      await putManifest(registry, 'a/b', sha(two), two);
      const list = (query: string) => call(registry, 'GET', `/v2/a/b/referrers/${subject.digest}${query}`);
      expect(JSON.parse((await list('')).body.toString()).manifests).toHaveLength(2);
      const filtered = await list('?artifactType=type/one');
      expect(filtered.headers['oci-filters-applied']).toBe('artifactType');
      expect(JSON.parse(filtered.body.toString()).manifests).toMatchObject([
        { digest: sha(one), size: one.length, artifactType: 'type/one', annotations: { k: 'v' } },
      ]);
      await at('DELETE', sha(one));
      expect(JSON.parse((await list('')).body.toString()).manifests).toHaveLength(1);
    });
  });

  test('pages of tags come in order and link to the next', async () => {
    const bytes = await manifestOf(registry, 'a/b');
    for (const tag of ['b', 'a', 'C', 'e', 'd']) await putManifest(registry, 'a/b', tag, bytes);
    await call(registry, 'DELETE', '/v2/a/b/manifests/b');
    const pages: string[][] = [];
    let next: string | undefined = '/v2/a/b/tags/list?n=2';
    while (next !== undefined) {
      const reply = await call(registry, 'GET', next);
      pages.push(JSON.parse(reply.body.toString()).tags);
      next = /<([^>]+)>; rel="next"/.exec(String(reply.headers.link ?? ''))?.[1];
    }
    expect(pages).toEqual([
      ['C', 'a'],
      ['d', 'e'],
    ]);
    expect((await call(registry, 'GET', '/v2/a/b/tags/list?n=x')).status).toBe(400);
    expect((await call(registry, 'GET', '/v2/no/such/tags/list')).status).toBe(404);
  });

  test.each(['/v2/../../etc/tags/list', '/v2/A/tags/list', '/v2/a%2F..%2Fb/tags/list', '/v2/a//b/tags/list'])(
    'refuses the name in %s',
    async (path) => {
      // A client library would resolve the dots before sending them.
      const reply = await new Promise<number | undefined>((resolve, reject) => {
        const { host, port } = registry;
        request({ host, port, path, agent: false }, (incoming) => {
          incoming.resume();
          resolve(incoming.statusCode);
        })
          .on('error', reject)
          .end();
      });
      expect(reply).toBe(400);
    },
  );

  test.each([
    `sha256:../../${'a'.repeat(58)}`,
    'sha256:..%2F..%2Fx',
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    '..%2Fx',
  ])('refuses the digest %s', async (digest) => {
    const location = await openUpload(registry, 'a/b');
    expect((await call(registry, 'PUT', `${location}?digest=${digest}`, { body: 'x' })).status).toBe(400);
    expect([400, 404]).toContain((await get(encodeURIComponent(digest))).status);
  });

  test('says which methods a path knows', async () => {
    const reply = await call(registry, 'POST', '/v2/');
    expect([reply.status, reply.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect((await call(registry, 'GET', '/v2/')).status).toBe(200);
    expect((await call(registry, 'GET', '/elsewhere')).status).toBe(404);
  });
});

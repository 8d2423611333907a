import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RegistryOptions, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { call, manifestOf, openUpload, pushBlob, putManifest, sha } from './support.ts';

describe('a registry in a folder', () => {
  let folder: string;
  const running: RunningRegistry[] = [];
  const start = async (options: RegistryOptions = {}) => {
    const registry = await startRegistry({ directory: folder, ...options });
    running.push(registry);
    return registry;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kloset-oci-emulator-'));
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((registry) => registry.close()));
    await rm(folder, { recursive: true, force: true });
  });

  test.each([false, true])('keeps everything across a restart (durable: %s)', async (durable) => {
    const bytes = randomBytes(100_000);
    const before = await start({ durable });
    const digest = await pushBlob(before, 'deep/er/name', bytes);
    await pushBlob(before, 'deep', 'outer');
    const subject = { mediaType: 'x/y', digest: sha('subject'), size: 7 };
    const manifest = await manifestOf(before, 'deep/er/name', { subject, artifactType: 'a/b' });
    await putManifest(before, 'deep/er/name', 'kept', manifest);
    await putManifest(before, 'deep/er/name', 'gone', manifest);
    await call(before, 'DELETE', '/v2/deep/er/name/manifests/gone');
    await before.close();

    const after = await start();
    expect((await call(after, 'GET', `/v2/deep/er/name/blobs/${digest}`)).body.equals(bytes)).toBe(true);
    expect((await call(after, 'GET', `/v2/deep/blobs/${digest}`)).status).toBe(404);
    const found = await call(after, 'GET', '/v2/deep/er/name/manifests/kept');
    expect(found.body.equals(manifest)).toBe(true);
    expect(found.headers['content-type']).toBe('application/vnd.oci.image.manifest.v1+json');
    const tags = await call(after, 'GET', '/v2/deep/er/name/tags/list');
    expect(JSON.parse(tags.body.toString()).tags).toEqual(['kept']);
    const list = await call(after, 'GET', `/v2/deep/er/name/referrers/${subject.digest}`);
    expect(JSON.parse(list.body.toString()).manifests).toMatchObject([{ artifactType: 'a/b' }]);
  });

  test('shares a blob between repositories and removes it with the last link', async () => {
    const registry = await start();
    const digest = await pushBlob(registry, 'one', 'shared');
    await pushBlob(registry, 'two', 'shared');
    const stored = join(folder, 'blobs', digest.replace(':', '/'));
    await call(registry, 'DELETE', `/v2/one/blobs/${digest}`);
    expect(await readFile(stored, 'utf8')).toBe('shared');
    await call(registry, 'DELETE', `/v2/two/blobs/${digest}`);
    await expect(readFile(stored)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('ignores and clears what a crash left half-written', async () => {
    await (await start()).close();
    const digest = sha('complete');
    await writeFile(join(folder, 'uploads', 'leftover'), 'comp');
    // A link without its blob, a tag without its manifest, and a manifest that is none.
    await mkdir(join(folder, 'repositories/a/_blobs/sha256'), { recursive: true });
    await mkdir(join(folder, 'repositories/a/_tags'), { recursive: true });
    await mkdir(join(folder, 'repositories/a/_manifests/sha256'), { recursive: true });
    await writeFile(join(folder, 'repositories/a/_blobs', digest.replace(':', '/')), '');
    await writeFile(join(folder, 'repositories/a/_tags/t'), sha('lost'));
    await writeFile(join(folder, 'repositories/a/_manifests', digest.replace(':', '/')), '{"broken');
    const registry = await start();
    expect(await readdir(join(folder, 'uploads'))).toEqual([]);
    expect((await call(registry, 'HEAD', `/v2/a/blobs/${digest}`)).status).toBe(404);
    expect((await call(registry, 'HEAD', '/v2/a/manifests/t')).status).toBe(404);
    expect((await call(registry, 'HEAD', `/v2/a/manifests/${digest}`)).status).toBe(404);
    expect((await call(registry, 'GET', '/v2/a/tags/list')).status).toBe(200);
  });

  test('shows nothing of an upload before it is whole, and leaves no file of a failed one', async () => {
    const registry = await start();
    const location = await openUpload(registry, 'a');
    await call(registry, 'PATCH', location, { body: 'abc' });
    expect(await readdir(join(folder, 'uploads'))).toHaveLength(1);
    expect(await readdir(folder)).not.toContain('blobs');
    await call(registry, 'PUT', `${location}?digest=${sha('other')}`);
    expect(await readdir(join(folder, 'uploads'))).toEqual([]);
    await call(registry, 'PATCH', await openUpload(registry, 'a'), { body: 'abc' });
    await registry.close();
    expect(await readdir(join(folder, 'uploads'))).toEqual([]);
  });

  test('answers 500 and ends the session when the disk refuses', async () => {
    const registry = await start();
    const location = await openUpload(registry, 'a');
    await rm(join(folder, 'uploads'), { recursive: true });
    const reply = await call(registry, 'PUT', `${location}?digest=${sha('abc')}`, { body: 'abc' });
    expect(reply.status).toBe(500);
    expect(registry.openSessions()).toEqual([]);
    expect((await call(registry, 'GET', '/v2/')).status).toBe(200);
  });

  test('says what is wrong with the port or the folder', async () => {
    const registry = await start();
    await expect(startRegistry({ port: registry.port })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(`${registry.port}`),
    });
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(startRegistry({ directory: file })).rejects.toMatchObject({ code: 'FILE_WRITE_FAILED' });
    await expect(startRegistry({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

/** A store in a folder of the OCI image layout: what it keeps through crashes, and beside other programs. */
import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { streamSource } from '../../src/engine/streamSource.ts';
import { LayoutCommits } from '../../src/store/layoutCommits.ts';
import { describeManifest } from '../../src/store/layoutIndex.ts';
import { LayoutStore } from '../../src/store/layoutStore.ts';
import { describeRef, tagOf } from '../../src/store/objectNames.ts';
import { collect, MIB, pieces, refOf } from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { describeObjectStore } from './objectStoreConformance.ts';

let folder: string;
let root: string;
/** A store that has written keeps its journal open until it is closed, also one that a test takes for crashed. */
const opened: LayoutStore[] = [];
const storeIn = (path: string, options?: ConstructorParameters<typeof LayoutStore>[1]) => {
  const store = new LayoutStore(path, options);
  opened.push(store);
  return store;
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kloset-oci-layout-'));
  root = join(folder, 'layout');
});
afterEach(async () => {
  // Of two writers one is refused the index, which is what their tests are about.
  await Promise.allSettled(opened.splice(0).map((one) => one.close()));
  await rm(folder, { recursive: true });
});

describeObjectStore('an image layout', async () => {
  const own = await mkdtemp(join(tmpdir(), 'kloset-oci-layout-'));
  const store = new LayoutStore(join(own, 'layout'));
  const close = async () => {
    await store.close();
    await rm(own, { recursive: true });
  };
  return { store, close };
});

interface Entry {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
  readonly annotations: Record<string, string>;
}

const REF_NAME = 'org.opencontainers.image.ref.name';
const JOURNAL = '.kloset-oci-journal';
const put = (store: LayoutStore, number: number, bytes = 9000) =>
  store.put(refOf(number), bufferSource(seededBytes(number, bytes), 'x'));
const indexOf = async () =>
  JSON.parse(await readFile(join(root, 'index.json'), 'utf8')) as { manifests: Entry[] };
const tagsIn = async () => (await indexOf()).manifests.map(({ annotations }) => annotations[REF_NAME]).sort();
const tags = (...numbers: number[]) => numbers.map((number) => tagOf(refOf(number))).sort();
const blobOf = (digest: string) => join(root, 'blobs', ...digest.split(':'));
const list = async (store: LayoutStore) => {
  const macs: string[] = [];
  for await (const mac of store.list('packfile')) macs.push(mac);
  return macs.sort();
};

describe('the folder', () => {
  it('has the files of the specification, each blob under its digest, and nothing else', async () => {
    const store = storeIn(root);
    await store.create(Buffer.from('config'));
    await Promise.all([put(store, 1), put(store, 2, 4000), put(store, 3, 0)]);
    await store.close();
    expect((await readdir(root)).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    expect(JSON.parse(await readFile(join(root, 'oci-layout'), 'utf8'))).toEqual({
      imageLayoutVersion: '1.0.0',
    });
    const blobs = await readdir(join(root, 'blobs', 'sha256'));
    for (const hex of blobs)
      expect(
        createHash('sha256')
          .update(await readFile(join(root, 'blobs', 'sha256', hex)))
          .digest('hex'),
      ).toBe(hex);
    expect(await tagsIn()).toEqual(['CONFIG', ...tags(1, 2, 3)]);
    for (const { digest, size, mediaType } of (await indexOf()).manifests) {
      const content = await readFile(blobOf(digest));
      expect(content.length).toBe(size);
      const manifest = JSON.parse(content.toString());
      expect(manifest.mediaType).toBe(mediaType);
      for (const { digest: blob, size: bytes } of [manifest.config, ...manifest.layers])
        expect((await stat(blobOf(blob))).size).toBe(bytes);
    }
    // Content, manifest each, and the shared configuration.
    expect(blobs).toHaveLength(4 + 4 + 1);
  });

  it('keeps what other programs have put into its index', async () => {
    const first = storeIn(root);
    await put(first, 1);
    await first.close();
    const index = await indexOf();
    const [ours] = index.manifests;
    const foreign = { ...ours, annotations: { 'com.example.key': 'value' }, platform: { os: 'linux' } };
    const image = { ...ours, annotations: { [REF_NAME]: 'registry.example/an/image:latest' } };
    await writeFile(
      join(root, 'index.json'),
      JSON.stringify({ ...index, annotations: { a: 'b' }, manifests: [foreign, image, ours] }),
    );
    const second = storeIn(root);
    await put(second, 2);
    await second.close();
    const after = await indexOf();
    expect(after).toMatchObject({ schemaVersion: 2, annotations: { a: 'b' } });
    expect(after.manifests).toEqual(expect.arrayContaining([foreign, image, ours]));
    expect(after.manifests).toHaveLength(4);
    expect(await list(storeIn(root))).toEqual([refOf(1).mac, refOf(2).mac].sort());
  });

  it('stores a large object as several blobs, also from a stream, and reads across them', async () => {
    const content = seededBytes(1, 3 * MIB + 5);
    const store = storeIn(root, { partBytes: MIB });
    await store.put(refOf(1), streamSource(pieces(content), 'x'));
    expect(await store.blobsOf(refOf(1))).toHaveLength(4);
    const range = { offset: MIB - 3, length: MIB + 10 };
    const read = await collect((await store.get(refOf(1), { range })).stream);
    expect(read.equals(content.subarray(MIB - 3, 2 * MIB + 7))).toBe(true);
    expect(await store.put(refOf(1), bufferSource(content, 'x'))).toEqual({
      bytes: content.length,
      skipped: true,
    });
  });
});

describe('a crash', () => {
  it('loses nothing that was acknowledged: the journal has it until the index does', async () => {
    const crashed = storeIn(root);
    await put(crashed, 1);
    await put(crashed, 2);
    await crashed.delete(refOf(1));
    expect(await tagsIn()).toEqual([]);
    // Cut in the middle of a line, as a crash leaves it: of a change that nobody was told of.
    await appendFile(join(root, JOURNAL), `["${tagOf(refOf(3))}",{"digest":"sha2`);
    const next = storeIn(root);
    expect(await list(next)).toEqual([refOf(2).mac]);
    expect((await collect((await next.get(refOf(2))).stream)).equals(seededBytes(2, 9000))).toBe(true);
    // Reading alone changes nothing.
    await next.close();
    expect(await readdir(root)).toContain(JOURNAL);
    await put(next, 4);
    await next.close();
    expect(await tagsIn()).toEqual(tags(2, 4));
    expect(await readdir(root)).not.toContain(JOURNAL);
  });

  it('between blob and manifest costs no second write of the blob from a store that knows it', async () => {
    const source = storeIn(join(folder, 'source'));
    await put(source, 1);
    const { storedSource } = await import('../../src/store/storedSource.ts');
    const [layer] = await source.blobsOf(refOf(1));
    const target = storeIn(root);
    await put(target, 2);
    await writeFile(blobOf(layer?.digest ?? ''), seededBytes(1, 9000));
    const before = await stat(blobOf(layer?.digest ?? ''));
    expect(await target.put(refOf(1), await storedSource(source, refOf(1)))).toEqual({
      bytes: 9000,
      skipped: false,
    });
    expect((await stat(blobOf(layer?.digest ?? ''))).ino).toBe(before.ino);
    expect(await target.verify(refOf(1), { deep: true })).toMatchObject({ ok: true });
  });

  it('before the marker file leaves a folder that is taken up', async () => {
    const store = storeIn(root);
    await put(store, 1);
    await store.close();
    await rm(join(root, 'oci-layout'));
    const next = storeIn(root);
    await put(next, 2);
    await next.close();
    expect(await tagsIn()).toEqual(tags(1, 2));
  });
});

describe('many objects', () => {
  it('rewrite the index a bounded number of times its length', async () => {
    const commits = new LayoutCommits(root);
    const count = 6000;
    const atOnce = 16;
    for (let at = 0; at < count; at += atOnce) {
      await Promise.all(
        Array.from({ length: Math.min(atOnce, count - at) }, (_, next) => {
          const tag = tagOf(refOf(at + next));
          return commits.commit({ tag, descriptor: describeManifest(tag, `sha256:${'0'.repeat(64)}`, 1) });
        }),
      );
    }
    await commits.close();
    const { size } = await stat(join(root, 'index.json'));
    expect((await indexOf()).manifests).toHaveLength(count);
    // One rewrite per 16 changes would be 187 times its length.
    expect(commits.rewrittenBytes / size).toBeLessThan(4);
  });
});

describe('two writers', () => {
  it('at once: the second is told, and what the first has stays', async () => {
    const [first, second] = [storeIn(root), storeIn(root)];
    await put(first, 1);
    expect(await list(second)).toEqual([refOf(1).mac]);
    await put(first, 2);
    await put(second, 3);
    // The second has taken the journal over; the first finds out before it tells a lie.
    await expect(put(first, 4)).rejects.toMatchObject({ code: 'FILE_WRITE_FAILED' });
    await expect(first.close()).rejects.toThrow('another program writes to this image layout');
    await expect(first.close()).resolves.toBeUndefined();
    await second.close();
  });

  it('an index that changed under a writer is not overwritten', async () => {
    const store = storeIn(root);
    await put(store, 1);
    const index = await indexOf();
    await writeFile(
      join(root, 'index.json'),
      JSON.stringify({ ...index, annotations: { other: 'program' } }),
    );
    await expect(store.close()).rejects.toThrow('another program writes to this image layout');
    expect(await indexOf()).toHaveProperty('annotations.other', 'program');
    expect(await list(storeIn(root))).toEqual([refOf(1).mac]);
  });
});

describe('what is no layout, or a damaged one', () => {
  it.each([
    ['garbage', '{"schemaVersion":2,"manifests":[', 'it is no JSON'],
    ['another kind of JSON', '[1, 2]', 'it is no index'],
    ['an index without manifests', '{"schemaVersion":2}', 'it has no list of manifests'],
    ['an entry without a digest', '{"manifests":[{"size":3}]}', 'no usable digest'],
  ])('%s as its index is named, and stays as it is', async (_, content, said) => {
    const store = storeIn(root);
    await put(store, 1);
    await store.close();
    await writeFile(join(root, 'index.json'), content);
    const next = storeIn(root);
    for (const work of [() => next.open(), () => put(next, 2), () => list(next)]) {
      await expect(work()).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
      await expect(work()).rejects.toThrow(said);
      await expect(work()).rejects.toThrow(join(root, 'index.json'));
    }
    expect(await readFile(join(root, 'index.json'), 'utf8')).toBe(content);
  });

  it('a folder with other files is not written into', async () => {
    const store = storeIn(folder);
    await writeFile(join(folder, 'letter.txt'), 'dear');
    await expect(put(store, 1)).rejects.toMatchObject({ code: 'FILE_WRITE_FAILED' });
    await expect(put(store, 1)).rejects.toThrow(`${folder}: the folder holds other files`);
    expect(await readdir(folder)).toEqual(['letter.txt']);
  });

  it('another version is refused, a missing index as well', async () => {
    await put(storeIn(root), 1);
    await writeFile(join(root, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}');
    await expect(storeIn(root).open()).rejects.toThrow(
      'oci-layout: does not say that this is an image layout',
    );
    await writeFile(join(root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    await rm(join(root, 'index.json'));
    await expect(storeIn(root).open()).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  });

  it('a blob that is corrupt, short or gone, and a manifest that is, are told and healed by another put', async () => {
    const store = storeIn(root);
    for (const number of [1, 2, 3, 4, 5]) await put(store, number);
    await store.close();
    const blob = async (number: number) => blobOf((await store.blobsOf(refOf(number)))[0]?.digest ?? '');
    const manifest = async (number: number) =>
      blobOf(
        (await indexOf()).manifests.find(({ annotations }) => annotations[REF_NAME] === tagOf(refOf(number)))
          ?.digest ?? '',
      );
    await writeFile(await blob(1), seededBytes(99, 9000));
    await writeFile(await blob(2), 'short');
    await rm(await blob(3));
    await rm(await manifest(4));
    await appendFile(await manifest(5), ' ');
    const codes = await Promise.all(
      [1, 2, 3, 4, 5].map(async (number) => {
        const finding = await store.verify(refOf(number), { deep: true });
        if (finding.ok) return 'ok';
        expect(finding.error.message).toContain(`${describeRef(refOf(number))} on oci-layout:${root}: `);
        return (finding.error as { code?: string }).code;
      }),
    );
    expect(codes).toEqual(['BLOB_CORRUPT', 'SIZE_MISMATCH', 'BLOB_MISSING', 'BLOB_MISSING', 'BLOB_CORRUPT']);
    await expect(collect((await store.get(refOf(1))).stream)).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
    for (const number of [2, 3, 4, 5]) {
      expect(await put(store, number)).toMatchObject({ skipped: false });
      expect(await store.verify(refOf(number), { deep: true })).toMatchObject({ ok: true });
    }
  });
});

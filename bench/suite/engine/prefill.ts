/**
 * Stores of many objects, written into the storage folder of a registry before it starts: a hundred thousand uploads
 * would take longer than everything that is measured in them. Each object has a blob of its own.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DirectoryLayout, encodeManifest } from '../../../src/emulator/directoryLayout.ts';
import { ARTIFACT_TYPE, buildManifest, EMPTY_CONFIG } from '../../../src/store/manifest.ts';
import { CONFIG_TAG, tagOf } from '../../../src/store/objectNames.ts';
import type { RegistryName } from '../../../test/support/realRegistries.ts';
import { macOf, noise } from '../../guard/bytes.ts';

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** What a store of `count` objects consists of. Synchronous: nothing else runs, and it is several times faster. */
interface Writer {
  blob(digest: string, bytes: Uint8Array): void;
  manifest(tag: string, digest: string, bytes: Buffer): void;
  end?(): void;
}

const made = new Set<string>();
function write(path: string, bytes: Uint8Array | string): void {
  const folder = dirname(path);
  if (!made.has(folder)) {
    mkdirSync(folder, { recursive: true });
    made.add(folder);
  }
  writeFileSync(path, bytes);
}

const hex = (digest: string) => digest.slice('sha256:'.length);

function embedded(storage: string, repository: string): Writer {
  const layout = new DirectoryLayout(storage);
  return {
    blob: (digest, bytes) => {
      write(layout.blob(digest), bytes);
      write(layout.blobLink(repository, digest), '');
    },
    manifest: (tag, digest, bytes) => {
      const record = { digest, mediaType: MANIFEST_TYPE, size: bytes.length, artifactType: ARTIFACT_TYPE };
      write(layout.manifest(repository, digest), encodeManifest(record, bytes));
      write(layout.tag(repository, tag), digest);
    },
  };
}

/** Versions 2 and 3: https://distribution.github.io/distribution/ keeps links in files named `link`. */
function distribution(storage: string, repository: string): Writer {
  const root = join(storage, 'docker', 'registry', 'v2');
  const links = join(root, 'repositories', repository);
  const data = (digest: string, bytes: Uint8Array) =>
    write(join(root, 'blobs', 'sha256', hex(digest).slice(0, 2), hex(digest), 'data'), bytes);
  const link = (digest: string, ...path: string[]) => write(join(links, ...path, 'link'), digest);
  return {
    blob: (digest, bytes) => {
      data(digest, bytes);
      link(digest, '_layers', 'sha256', hex(digest));
    },
    manifest: (tag, digest, bytes) => {
      data(digest, bytes);
      link(digest, '_manifests', 'revisions', 'sha256', hex(digest));
      link(digest, '_manifests', 'tags', tag, 'current');
      link(digest, '_manifests', 'tags', tag, 'index', 'sha256', hex(digest));
    },
  };
}

/** An OCI image layout, whose one index names all manifests. */
function zot(storage: string, repository: string): Writer {
  const root = join(storage, repository);
  const manifests: object[] = [];
  const blob = (digest: string, bytes: Uint8Array) =>
    write(join(root, 'blobs', 'sha256', hex(digest)), bytes);
  return {
    blob,
    manifest: (tag, digest, bytes) => {
      blob(digest, bytes);
      const annotations = { 'org.opencontainers.image.ref.name': tag };
      manifests.push({ mediaType: MANIFEST_TYPE, digest, size: bytes.length, annotations });
    },
    end: () => {
      write(join(root, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
      write(join(root, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    },
  };
}

const WRITERS: Record<RegistryName, (storage: string, repository: string) => Writer> = {
  embedded,
  'docker-registry': distribution,
  distribution3: distribution,
  zot,
};

/** Writes a store whose packfiles have the MACs of 0 to `count - 1`. */
export function prefill(
  registry: RegistryName,
  storage: string,
  { repository, count, objectBytes }: { repository: string; count: number; objectBytes: number },
): void {
  const writer = WRITERS[registry](storage, repository);
  const put = (ref: Parameters<typeof buildManifest>[0], payload: Uint8Array) => {
    const digest = digestOf(payload);
    writer.blob(digest, payload);
    const manifest = Buffer.from(buildManifest(ref, [{ digest, bytes: payload.length }]));
    writer.manifest(ref === 'CONFIG' ? CONFIG_TAG : tagOf(ref), digestOf(manifest), manifest);
  };
  writer.blob(EMPTY_CONFIG.digest, EMPTY_CONFIG.content);
  put('CONFIG', noise(0xffffffff, 100));
  const payload = noise(1, objectBytes);
  for (let number = 0; number < count; number++) {
    // Different in their first bytes: making each anew would take as long as writing it.
    Buffer.from(payload.buffer).writeUInt32LE(number);
    put({ type: 'packfile', mac: macOf(number) }, payload);
  }
  writer.end?.();
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

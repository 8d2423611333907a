import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KlosetError } from '../errors.ts';
import { TEMPORARY_PREFIX, writeAtomically, writeNamed } from './atomicFile.ts';
import { readFilePart, unreadable } from './readFile.ts';
import type { ReadBlob } from './readLayers.ts';
import { missingBlob } from './resolver.ts';

/** Names in the folder of an OCI image layout (image-spec, image-layout.md). */
export const LAYOUT_FILE = 'oci-layout';
export const INDEX_FILE = 'index.json';
/** Changes that are not in the index yet, of our own making. */
export const JOURNAL_FILE = '.kloset-oci-journal';
const BLOBS = 'blobs';

/** What to do about a layout that is no good. */
export const LAYOUT_REMEDY =
  'The image layout is damaged: copy the store into it again, or into a new folder.';

const VERSION = '1.0.0';
const LAYOUT_CONTENT = Buffer.from(JSON.stringify({ imageLayoutVersion: VERSION }));

/**
 * Whether a folder is a layout: `new` when there is nothing of it yet.
 *
 * @throws KlosetError MANIFEST_INVALID, FILE_WRITE_FAILED (something else lies there), SOURCE_UNREADABLE
 */
export async function layoutState(root: string): Promise<'new' | 'layout'> {
  const marker = await readIfThere(join(root, LAYOUT_FILE));
  if (marker) {
    if (versionOf(marker) === VERSION) return 'layout';
    throw new KlosetError(
      'MANIFEST_INVALID',
      `does not say that this is an image layout of version ${VERSION}`,
      {
        object: join(root, LAYOUT_FILE),
        remedy: 'Name another folder, or restore the file from the program that wrote it.',
      },
    );
  }
  const names = await readdir(root).catch((cause) => {
    if (cause.code === 'ENOENT') return [];
    throw unreadable(root, cause);
  });
  // Left by one that was ended before it had written the marker, which comes last.
  const known = (name: string) => [BLOBS, INDEX_FILE].includes(name) || name.startsWith(TEMPORARY_PREFIX);
  if (names.every(known)) return 'new';
  throw new KlosetError('FILE_WRITE_FAILED', 'the folder holds other files, and no OCI image layout', {
    object: root,
    remedy: 'Name a new or an empty folder.',
  });
}

/** Makes an empty layout. */
export async function writeLayoutFiles(root: string, index: Uint8Array): Promise<void> {
  if (!(await readIfThere(join(root, INDEX_FILE)))) await writeAtomically(join(root, INDEX_FILE), [index]);
  await writeAtomically(join(root, LAYOUT_FILE), [LAYOUT_CONTENT]);
}

function versionOf(content: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(content).toString('utf8'))?.imageLayoutVersion;
  } catch {
    return undefined;
  }
}

/** A whole file, or `undefined`. @throws KlosetError SOURCE_UNREADABLE */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((cause) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
    throw unreadable(path, cause);
  });
}

/** The file of a blob. */
export function blobPath(root: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return join(root, BLOBS, algorithm, hex);
}

/** Length of a blob in bytes, or `undefined` when there is none. */
export async function blobBytes(root: string, digest: string): Promise<number | undefined> {
  const path = blobPath(root, digest);
  return stat(path).then(
    ({ size }) => size,
    (cause) => {
      if (cause.code === 'ENOENT') return undefined;
      throw unreadable(path, cause);
    },
  );
}

/** Reads blobs as {@link ReadBlob} says. */
export function blobReader(root: string, signal: AbortSignal | undefined): ReadBlob {
  return async function* (digest, { offset, length }) {
    const total = await blobBytes(root, digest);
    if (total === undefined) throw missingBlob(digest, LAYOUT_REMEDY);
    const bytes = Math.min(length ?? total, total - offset);
    if (bytes > 0) yield* readFilePart(blobPath(root, digest), offset, bytes, signal);
  };
}

/** Writes a blob under its digest; it is visible when it is whole and on disk. */
export async function writeBlob(
  root: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ digest: string; bytes: number }> {
  const hash = createHash('sha256');
  let hex = '';
  const hashed = async function* () {
    for await (const chunk of content) {
      hash.update(chunk);
      yield chunk;
    }
  };
  const bytes = await writeNamed(join(root, BLOBS, 'sha256'), hashed(), () => {
    hex = hash.digest('hex');
    return hex;
  });
  return { digest: `sha256:${hex}`, bytes };
}

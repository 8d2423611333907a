/** What every contestant pushes: the same files, as files and as an OCI layout whose digests are known. */
import { createHash } from 'node:crypto';
import { link, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededBytes } from '../../test/support/seededBytes.ts';

export interface Workload {
  /** A folder of files named with 64 hex digits, as packfiles are. */
  readonly files: string;
  readonly names: readonly string[];
  /** SHA-256 of each file, in hex. */
  readonly digests: readonly string[];
  /** The same files as one image in an OCI layout. */
  readonly layout: string;
  readonly bytes: number;
}

/** The name of the image in its layout. */
export const LAYOUT_TAG = 'all';

const IMAGE = 'application/vnd.oci.image';

export async function prepareWorkload(folder: string, count: number, size: number): Promise<Workload> {
  const files = join(folder, 'files');
  const layout = join(folder, 'layout');
  const blobs = join(layout, 'blobs', 'sha256');
  await mkdir(files, { recursive: true });
  await mkdir(blobs, { recursive: true });

  const names: string[] = [];
  const digests: string[] = [];
  const layers: object[] = [];
  for (let i = 0; i < count; i++) {
    const content = seededBytes(i + 1, size);
    const name = sha256(`packfile ${i}`);
    const digest = sha256(content);
    await writeFile(join(files, name), content);
    await link(join(files, name), join(blobs, digest));
    names.push(name);
    digests.push(digest);
    layers.push({ mediaType: `${IMAGE}.layer.v1.tar`, digest: `sha256:${digest}`, size });
  }

  const put = async (mediaType: string, value: object) => {
    const text = JSON.stringify(value);
    const digest = sha256(text);
    await writeFile(join(blobs, digest), text);
    return { mediaType, digest: `sha256:${digest}`, size: text.length };
  };
  const mediaType = `${IMAGE}.manifest.v1+json`;
  const config = await put(`${IMAGE}.config.v1+json`, {});
  const manifest = await put(mediaType, { schemaVersion: 2, mediaType, config, layers });
  const tagged = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': LAYOUT_TAG } };
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [tagged] }));
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return { files, names, digests, layout, bytes: count * size };
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

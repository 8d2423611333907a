/** A container image in a repository, put there by plain HTTP: what somebody else keeps where a user points plakar. */
import { createHash } from 'node:crypto';

/** Pushes an image of one layer under a tag; returns the digest of its manifest. */
export async function pushImage(address: string, repository: string, tag: string): Promise<string> {
  const base = `http://${address}/v2/${repository}`;
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
  });
  const layers = [Buffer.from('not a tar, but nobody looks')];
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      ...(await pushBlob(base, Buffer.from(config))),
    },
    layers: await Promise.all(
      layers.map(async (bytes) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        ...(await pushBlob(base, bytes)),
      })),
    ),
  });
  const put = await fetch(`${base}/manifests/${tag}`, {
    method: 'PUT',
    body: manifest,
    headers: { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' },
  });
  if (put.status !== 201) throw new Error(`manifest: ${put.status} ${await put.text()}`);
  return digestOf(Buffer.from(manifest));
}

/** The digest of what a tag names now. */
export async function taggedDigest(address: string, repository: string, tag: string): Promise<string> {
  const headers = { Accept: 'application/vnd.oci.image.manifest.v1+json' };
  const answer = await fetch(`http://${address}/v2/${repository}/manifests/${tag}`, { headers });
  if (!answer.ok) throw new Error(`${tag}: ${answer.status}`);
  return digestOf(Buffer.from(await answer.arrayBuffer()));
}

async function pushBlob(base: string, bytes: Buffer): Promise<{ digest: string; size: number }> {
  const digest = digestOf(bytes);
  const post = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
  const session = new URL(post.headers.get('location') ?? '', base);
  session.searchParams.set('digest', digest);
  const put = await fetch(session, {
    method: 'PUT',
    body: new Uint8Array(bytes),
    headers: { 'Content-Type': 'application/octet-stream' },
  });
  if (put.status !== 201) throw new Error(`blob: ${put.status} ${await put.text()}`);
  return { digest, size: bytes.length };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

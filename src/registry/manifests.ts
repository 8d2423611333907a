import { type Exchange, repositoryUrl, sendForHead } from './exchange.ts';
import { sendAndRead } from './readWhole.ts';

/** The registry limit that the distribution specification asks all to allow, in bytes. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

export const OCI_MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const DOCKER_MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const ACCEPT = { accept: `${OCI_MANIFEST_TYPE}, ${DOCKER_MANIFEST_TYPE}` };

/** A manifest as the registry holds it. */
export interface StoredManifest {
  readonly bytes: Uint8Array;
  /** `Docker-Content-Digest`, or `undefined` where the registry does not send it. */
  readonly digest: string | undefined;
}

/** The manifest under a tag or digest, or `undefined`. One that was just written is waited for. */
export function getManifest(
  exchange: Exchange,
  reference: string,
  signal?: AbortSignal,
): Promise<StoredManifest | undefined> {
  const attempt = () => readManifest(exchange, reference, signal);
  return exchange.recentTags.ask(reference, attempt, (stored) => stored === undefined, signal);
}

async function readManifest(
  exchange: Exchange,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<StoredManifest | undefined> {
  const url = repositoryUrl(exchange, `manifests/${reference}`);
  const request = { kind: 'manifest-read', method: 'GET', url, headers: ACCEPT, signal } as const;
  const { answer, bytes } = await sendAndRead(exchange, request, [200, 404], {
    limitBytes: MAX_MANIFEST_BYTES,
    what: `the manifest ${reference}`,
    details: { object: reference },
  });
  if (answer.status === 404) return undefined;
  return { bytes, digest: answer.headers['docker-content-digest'] };
}

/** Stores a manifest under a tag. May be repeated: the same bytes under the same tag are the same manifest. */
export async function putManifest(
  exchange: Exchange,
  tag: string,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  const request = {
    kind: 'manifest-write',
    method: 'PUT',
    url: repositoryUrl(exchange, `manifests/${tag}`),
    headers: { 'content-type': OCI_MANIFEST_TYPE },
    body: { bytes: bytes.length, slices: () => [bytes] },
    signal,
  } as const;
  await sendForHead(exchange, request, [200, 201, 202], { object: tag });
  exchange.recentTags.written(tag);
}

/** Deletes by tag or digest. `missing` when it was not there, which is what a repeated delete finds. */
export async function deleteManifest(
  exchange: Exchange,
  reference: string,
  signal?: AbortSignal,
): Promise<'gone' | 'missing'> {
  const url = repositoryUrl(exchange, `manifests/${reference}`);
  const request = { kind: 'manifest-delete', method: 'DELETE', url, headers: ACCEPT, signal } as const;
  const attempt = () => sendForHead(exchange, request, [200, 202, 204, 404], { object: reference });
  const isAbsent = ({ status }: { status: number }) => status === 404;
  const answer = await exchange.recentTags.ask(reference, attempt, isAbsent, signal);
  exchange.recentTags.deleted(reference);
  return answer.status === 404 ? 'missing' : 'gone';
}

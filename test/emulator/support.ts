import { createHash } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { RunningRegistry } from '../../src/emulator/index.ts';

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface CallOptions {
  headers?: Record<string, string>;
  body?: Uint8Array | string;
}

export function sha(bytes: Uint8Array | string, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** One request on a connection of its own; rejects when the connection breaks before the whole answer is here. */
export function call(
  registry: RunningRegistry,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const body = options.body === undefined ? undefined : Buffer.from(options.body);
    const headers: Record<string, string> = {
      'Content-Length': String(body?.length ?? 0),
      ...options.headers,
    };
    if (headers['Transfer-Encoding']) delete headers['Content-Length'];
    const outgoing = request(`${registry.url}${path}`, { method, agent: false, headers }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Opens an upload session and returns its location on the registry: path and query. */
export async function openUpload(registry: RunningRegistry, repository: string, query = ''): Promise<string> {
  const reply = await call(registry, 'POST', `/v2/${repository}/blobs/uploads/${query}`);
  if (reply.status !== 202 || reply.headers.location === undefined) throw new Error(`POST: ${reply.status}`);
  const { pathname, search } = new URL(reply.headers.location, registry.url);
  return pathname + search;
}

export async function pushBlob(
  registry: RunningRegistry,
  repository: string,
  bytes: Uint8Array | string,
): Promise<string> {
  const digest = sha(bytes);
  const location = await openUpload(registry, repository);
  const reply = await call(
    registry,
    'PUT',
    `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`,
    { body: bytes },
  );
  if (reply.status !== 201) throw new Error(`PUT: ${reply.status} ${reply.body}`);
  return digest;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export async function manifestOf(
  registry: RunningRegistry,
  repository: string,
  extra: Record<string, unknown> = {},
): Promise<Buffer> {
  const digest = await pushBlob(registry, repository, '{}');
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest, size: 2 };
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [], ...extra }));
}

export function putManifest(
  registry: RunningRegistry,
  repository: string,
  reference: string,
  bytes: Uint8Array,
): Promise<Reply> {
  return call(registry, 'PUT', `/v2/${repository}/manifests/${reference}`, {
    headers: { 'Content-Type': MANIFEST },
    body: bytes,
  });
}

export function errorCode(reply: Reply): string {
  return JSON.parse(reply.body.toString()).errors[0].code;
}

/**
 * A registry that follows the upload protocol and keeps no payload, run as a process of its own:
 * `node nullRegistry.ts` prints `listening 127.0.0.1:port`. It measures clients, so it counts bytes and trusts
 * every digest; manifests are kept, being small.
 */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const SESSION = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/;
const BLOB = /^\/v2\/(.+)\/blobs\/(sha\d+:[0-9a-f]+)$/;
const MANIFEST = /^\/v2\/(.+)\/manifests\/(.+)$/;
const TAGS = /^\/v2\/(.+)\/tags\/list$/;

const sessions = new Map<string, number>();
const blobs = new Map<string, number>();
const manifests = new Map<string, { body: Buffer; type: string }>();
const tags = new Map<string, Set<string>>();
let counter = 0;

function reply(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | number> = {},
): void {
  response.writeHead(status, { 'Content-Length': 0, ...headers }).end();
}

function refuse(response: ServerResponse, status: number, code: string): void {
  const body = JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] });
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body);
}

async function drain(request: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  return bytes;
}

function sessionState(repository: string, id: string): Record<string, string> {
  const offset = sessions.get(id) ?? 0;
  return { Location: `/v2/${repository}/blobs/uploads/${id}`, Range: `0-${Math.max(0, offset - 1)}` };
}

async function upload(request: IncomingMessage, response: ServerResponse, url: URL, match: RegExpMatchArray) {
  const [, repository = '', id = ''] = match;
  const digest = url.searchParams.get('digest');
  if (request.method === 'POST') {
    const bytes = await drain(request);
    if (digest) return commit(response, repository, digest, bytes);
    const fresh = `s${counter++}`;
    sessions.set(fresh, 0);
    return reply(response, 202, sessionState(repository, fresh));
  }
  const offset = sessions.get(id);
  if (offset === undefined) return refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN');
  if (request.method === 'GET') return reply(response, 204, sessionState(repository, id));
  if (request.method === 'DELETE') {
    sessions.delete(id);
    return reply(response, 204);
  }
  const from = /^(?:bytes )?(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1];
  if (from !== undefined && Number(from) !== offset)
    return reply(response, 416, sessionState(repository, id));
  sessions.set(id, offset + (await drain(request)));
  if (request.method === 'PATCH') return reply(response, 202, sessionState(repository, id));
  if (!digest) return refuse(response, 400, 'DIGEST_INVALID');
  const bytes = sessions.get(id) ?? 0;
  sessions.delete(id);
  return commit(response, repository, digest, bytes);
}

function commit(response: ServerResponse, repository: string, digest: string, bytes: number): void {
  blobs.set(`${repository}@${digest}`, bytes);
  reply(response, 201, { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest });
}

async function manifest(request: IncomingMessage, response: ServerResponse, match: RegExpMatchArray) {
  const [, repository = '', reference = ''] = match;
  if (request.method === 'PUT') {
    const body = Buffer.concat((await request.toArray()) as Buffer[]);
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
    const stored = { body, type: request.headers['content-type'] ?? '' };
    manifests.set(`${repository}@${reference}`, stored).set(`${repository}@${digest}`, stored);
    if (!reference.includes(':')) tags.set(repository, (tags.get(repository) ?? new Set()).add(reference));
    const location = `/v2/${repository}/manifests/${digest}`;
    return reply(response, 201, { Location: location, 'Docker-Content-Digest': digest });
  }
  const found = manifests.get(`${repository}@${reference}`);
  if (!found) return refuse(response, 404, 'MANIFEST_UNKNOWN');
  const digest = `sha256:${createHash('sha256').update(found.body).digest('hex')}`;
  response.writeHead(200, {
    'Content-Type': found.type,
    'Content-Length': found.body.length,
    'Docker-Content-Digest': digest,
  });
  response.end(request.method === 'HEAD' ? undefined : found.body);
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://null');
  const session = url.pathname.match(SESSION);
  if (session) return upload(request, response, url, session);
  const named = url.pathname.match(MANIFEST);
  if (named) return manifest(request, response, named);
  const [, listed] = url.pathname.match(TAGS) ?? [];
  if (listed !== undefined) {
    const body = JSON.stringify({ name: listed, tags: [...(tags.get(listed) ?? [])].sort() });
    return void response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
  }
  const [, repository, digest] = url.pathname.match(BLOB) ?? [];
  const size = blobs.get(`${repository}@${digest}`);
  if (size !== undefined && request.method === 'HEAD')
    return reply(response, 200, { 'Content-Length': size });
  if (url.pathname === '/v2/') return reply(response, 200);
  return refuse(response, 404, 'BLOB_UNKNOWN');
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(`listening 127.0.0.1:${address.port}`);
});
process.once('SIGTERM', () => process.exit(0));

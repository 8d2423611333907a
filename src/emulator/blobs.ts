import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, empty, failure, notAllowed } from './answers.ts';
import type { Repository } from './catalogue.ts';
import type { Call, Context } from './context.ts';
import { isDigest } from './names.ts';
import type { Storage } from './storage.ts';

/** `GET`, `HEAD` and `DELETE /v2/<name>/blobs/<digest>`. */
export async function blob(context: Context, call: Call): Promise<Answer> {
  const digest = call.reference;
  if (!isDigest(digest))
    return failure(400, 'DIGEST_INVALID', 'the digest is malformed or of an unknown algorithm');
  switch (call.method) {
    case 'GET':
    case 'HEAD':
      return serve(context, call, digest);
    case 'DELETE': {
      const refused = await context.behaviour.blobs.refuseDelete?.(context, call, digest);
      if (refused) return refused;
      return (await removeBlob(context, call.known, digest)) ? empty(202) : unknownBlob(digest);
    }
    default:
      return notAllowed('GET, HEAD, DELETE');
  }
}

export async function removeBlob(
  context: Context,
  repository: Repository | undefined,
  digest: string,
): Promise<boolean> {
  return context.lock.run(digest, async () => {
    if (!repository?.blobs.has(digest)) return false;
    const last = context.catalogue.unlink(repository, digest);
    await context.storage.unlinkBlob(repository.name, digest);
    if (last) await context.storage.removeBlob(digest);
    return true;
  });
}

async function serve(context: Context, call: Call, digest: string): Promise<Answer> {
  const entry = call.known?.blobs.get(digest);
  if (!entry) return unknownBlob(digest);
  const rules = context.behaviour.blobs;
  const refused = rules.refuseRead?.(call, digest);
  if (refused) return refused;
  if (rules.redirect && call.method === 'GET') return rules.redirect(call, digest);
  return serveBlob(context.storage, call, digest, entry.size, rules.ranges);
}

/** The bytes of a blob, or of the stretch that `Range` asks for. */
export async function serveBlob(
  storage: Storage,
  call: { readonly method: string; readonly headers: IncomingHttpHeaders },
  digest: string,
  size: number,
  ranges: boolean,
): Promise<Answer> {
  const headers: Record<string, string> = {
    'Content-Type': 'application/octet-stream',
    'Content-Length': String(size),
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
  };
  if (ranges) headers['Accept-Ranges'] = 'bytes';
  let start = 0;
  let end = size;
  let status = 200;
  const asked = ranges ? call.headers.range : undefined;
  const range = asked === undefined ? undefined : parseRange(asked, size);
  if (range === 'unsatisfiable') {
    return failure(416, 'SIZE_INVALID', `the range lies outside the blob of ${size} bytes`, {
      headers: { 'Content-Range': `bytes */${size}` },
    });
  }
  if (range) {
    [start, end] = range;
    status = 206;
    headers['Content-Range'] = `bytes ${start}-${end - 1}/${size}`;
    headers['Content-Length'] = String(end - start);
  }
  if (call.method === 'HEAD') return { status, headers };
  const body = await storage.openBlob(digest, start, end);
  return body ? { status, headers, body } : unknownBlob(digest);
}

const RANGE = /^bytes=(?:([0-9]+)-([0-9]*)|-([0-9]+))$/;

/** The half-open stretch a Range header asks for. Several ranges or another unit: undefined, the whole blob. */
function parseRange(header: string, size: number): [number, number] | 'unsatisfiable' | undefined {
  const match = RANGE.exec(header.trim());
  if (!match) return undefined;
  if (match[3] !== undefined) {
    const length = Math.min(Number(match[3]), size);
    return length === 0 ? 'unsatisfiable' : [size - length, size];
  }
  const start = Number(match[1]);
  const last = match[2] ? Number(match[2]) : size - 1;
  if (match[2] && last < start) return undefined;
  if (start >= size) return 'unsatisfiable';
  return [start, Math.min(last + 1, size)];
}

function unknownBlob(digest: string): Answer {
  return failure(404, 'BLOB_UNKNOWN', 'the repository has no such blob', { detail: { digest } });
}

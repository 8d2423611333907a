import { type Answer, failure, json, notAllowed } from './answers.ts';
import { blob } from './blobs.ts';
import type { Call, Context, Target } from './context.ts';
import type { RouteName } from './faults.ts';
import { manifest } from './manifests.ts';
import { isRepositoryName } from './names.ts';
import { referrers } from './referrers.ts';
import { tagList } from './tags.ts';
import { startUpload, uploadSession } from './uploads.ts';

const ROUTE =
  /^\/v2\/(.+)\/(?:(blobs\/uploads)\/?|blobs\/(uploads)\/([^/]+)|(blobs|manifests|referrers)\/([^/]+)|(tags)\/list)$/;
const NO_QUERY = new URLSearchParams();

/** Reads path and query. It judges nothing: a path that leads nowhere has the route `unknown`. */
export function parseTarget(url: string): Target {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? NO_QUERY : new URLSearchParams(url.slice(mark + 1));
  const target = (route: RouteName, repository = '', reference = ''): Target => ({
    route,
    path,
    query,
    repository: decode(repository),
    reference: decode(reference),
  });
  if (path === '/v2/' || path === '/v2') return target('ping');
  const match = ROUTE.exec(path);
  if (!match) return target('unknown');
  const repository = match[1];
  if (match[2]) return target('upload-start', repository);
  if (match[3]) return target('upload-session', repository, match[4]);
  if (match[7]) return target('tags', repository);
  const kinds: Record<string, RouteName> = { blobs: 'blob', manifests: 'manifest', referrers: 'referrers' };
  return target(kinds[match[5] ?? ''] ?? 'unknown', repository, match[6]);
}

/** Answers a request; undefined when its client is gone or a fault ended its body. */
export async function route(context: Context, call: Call): Promise<Answer | undefined> {
  if (call.route === 'ping') {
    if (call.method !== 'GET' && call.method !== 'HEAD') return notAllowed('GET, HEAD');
    return json(200, {}, { 'Docker-Distribution-Api-Version': 'registry/2.0' });
  }
  if (call.route === 'token') return context.guard?.service.serve(call);
  if (call.route === 'unknown') return unknownPath();
  if (!isRepositoryName(call.repository)) {
    return failure(400, 'NAME_INVALID', 'the repository name is malformed');
  }
  const refused = context.behaviour.admit?.(context, call);
  if (refused) return refused;
  switch (call.route) {
    case 'blob':
      return blob(context, call);
    case 'upload-start':
      return startUpload(context, call);
    case 'upload-session':
      return uploadSession(context, call);
    case 'manifest':
      return manifest(context, call);
    case 'tags':
      return tagList(context, call);
    case 'referrers':
      if (!context.behaviour.referrers) return unknownPath();
      return referrers(call);
  }
}

function unknownPath(): Answer {
  return failure(404, 'NAME_UNKNOWN', 'the registry has no such path');
}

function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // Not decoded, it fails the check of names and digests, which is the right answer.
    return text;
  }
}

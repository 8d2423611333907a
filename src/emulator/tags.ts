import { type Answer, failure, json, notAllowed } from './answers.ts';
import type { Call, Context } from './context.ts';

/** The most tags in one page, whatever the client asks for. */
const PAGE_LIMIT = 10_000;

/** `GET /v2/<name>/tags/list`. */
export function tagList(context: Context, call: Call): Answer {
  if (call.method !== 'GET' && call.method !== 'HEAD') return notAllowed('GET, HEAD');
  return context.behaviour.tags(call);
}

/** Pages in order of the tags, with a relative link to the next one. */
export function specifiedTags(call: Call): Answer {
  if (!call.known) return failure(404, 'NAME_UNKNOWN', 'the repository is unknown');
  const asked = call.query.get('n');
  if (asked !== null && !/^[0-9]+$/.test(asked)) {
    return failure(400, 'PAGINATION_NUMBER_INVALID', 'n is not a number');
  }
  const limit = Math.min(asked === null ? PAGE_LIMIT : Number(asked), PAGE_LIMIT);
  const { tags, more } = call.known.tags.page(call.query.get('last') ?? undefined, limit);
  const last = tags.at(-1);
  const headers: Record<string, string> = {};
  // A page of no tags has no next one to point at: a client that follows it would ask forever.
  if (more && last !== undefined) {
    headers.Link = `</v2/${call.repository}/tags/list?n=${limit}&last=${encodeURIComponent(last)}>; rel="next"`;
  }
  return json(200, { name: call.repository, tags }, headers);
}

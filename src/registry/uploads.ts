import { asKlosetError, isKlosetError, type KlosetError } from '../errors.ts';
import { answerError } from './answerErrors.ts';
import { discardBody } from './body.ts';
import { type Exchange, repositoryUrl, sendFollowed, sendOnce } from './exchange.ts';
import { parseRangeEnd } from './rangeHeader.ts';
import { follow } from './redirects.ts';
import type { RegistryAnswer, RegistryRequest, RequestBody } from './transport.ts';
import { resolveLocation, withQuery } from './uploadLocation.ts';

/** An upload session as last heard of. Immutable: each answer makes a new one with the newest Location. */
export interface UploadSession {
  readonly url: URL;
  /** `OCI-Chunk-Min-Length`, in bytes. */
  readonly chunkMinBytes?: number | undefined;
  /** `OCI-Chunk-Max-Length`, in bytes: no standard header, but Cloudflare sends it. */
  readonly chunkMaxBytes?: number | undefined;
  /** Last byte that the registry says it has; see {@link parseRangeEnd} for how far to believe it. */
  readonly rangeEnd?: number | undefined;
}

/** What came of a chunk or a commit. A refusal is a value: the state machine decides what it means. */
export type UploadAnswer =
  | { readonly ok: true; readonly session: UploadSession }
  | { readonly ok: false; readonly session: UploadSession; readonly error: KlosetError };

/** Options of the requests with a body. */
export interface BodyOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onSent?: ((bytes: number) => void) | undefined;
}

const OCTETS = { 'content-type': 'application/octet-stream' };
// ECR answers a chunk with 201, some proxies with 200 or 204.
const ACCEPTED = [200, 201, 202, 204];

/**
 * Opens a session, or mounts the blob from another repository of the registry.
 *
 * Takes no signal for the exchange on purpose: a session whose answer was thrown away could never be cancelled.
 */
export async function startUpload(
  exchange: Exchange,
  mount?: { readonly digest: string; readonly from: string },
  queueSignal?: AbortSignal,
): Promise<UploadSession | 'mounted'> {
  let url = repositoryUrl(exchange, 'blobs/uploads/');
  if (mount) url = withQuery(withQuery(url, 'mount', mount.digest), 'from', mount.from);
  const request: RegistryRequest = {
    kind: 'upload-start',
    method: 'POST',
    url,
    body: { bytes: 0, slices: () => [] },
    queueSignal,
  };
  const { answer, request: last } = await sendFollowed(exchange, request, [201, 202]);
  await discardBody(answer);
  if (answer.status === 201 && mount) return 'mounted';
  return sessionOf(answer, last.url);
}

/**
 * Sends a whole blob with the session request. `stored` where the registry does that; a session where it ignored
 * the body, as distribution does.
 *
 * @throws KlosetError also where the registry refuses the form (zot without a length, others with 4xx)
 */
export async function postBlob(
  exchange: Exchange,
  digest: string,
  body: RequestBody,
  options: BodyOptions = {},
): Promise<UploadSession | 'stored'> {
  const url = withQuery(repositoryUrl(exchange, 'blobs/uploads/'), 'digest', digest);
  const request: RegistryRequest = {
    kind: 'upload-commit',
    method: 'POST',
    url,
    headers: OCTETS,
    body,
    ...options,
  };
  const { answer, request: last } = await sendOnce(exchange, request, [201, 202]);
  await discardBody(answer);
  return answer.status === 201 ? 'stored' : sessionOf(answer, last.url);
}

/**
 * Sends one chunk.
 *
 * @param offset position of the chunk for `Content-Range`, or `undefined` to leave the header out, which is how a
 *   whole blob goes in one PATCH on registries that refuse chunking
 */
export function patchChunk(
  exchange: Exchange,
  session: UploadSession,
  body: RequestBody,
  offset: number | undefined,
  options: BodyOptions = {},
): Promise<UploadAnswer> {
  const headers: Record<string, string> = { ...OCTETS };
  if (offset !== undefined) headers['content-range'] = `${offset}-${offset + body.bytes - 1}`;
  return attempt(exchange, session, {
    kind: 'upload-chunk',
    method: 'PATCH',
    url: session.url,
    headers,
    body,
    ...options,
  });
}

/** Closes a session; with a body that is the whole blob, or with `offset` its last chunk. */
export function commitUpload(
  exchange: Exchange,
  session: UploadSession,
  digest: string,
  body: RequestBody | undefined,
  offset: number | undefined,
  options: BodyOptions = {},
): Promise<UploadAnswer> {
  const headers: Record<string, string> = { ...OCTETS };
  if (body && offset !== undefined) headers['content-range'] = `${offset}-${offset + body.bytes - 1}`;
  return attempt(exchange, session, {
    kind: 'upload-commit',
    method: 'PUT',
    url: withQuery(session.url, 'digest', digest),
    headers,
    body: body ?? { bytes: 0, slices: () => [] },
    ...options,
  });
}

/** Asks a session where it is; `undefined` when it is gone, or (ECR) cannot say. */
export async function uploadStatus(
  exchange: Exchange,
  session: UploadSession,
  signal?: AbortSignal,
): Promise<UploadSession | undefined> {
  const request: RegistryRequest = { kind: 'upload-status', method: 'GET', url: session.url, signal };
  try {
    const { answer, request: last } = await sendFollowed(exchange, request, [200, 202, 204]);
    await discardBody(answer);
    return nextSession(answer, session, last.url);
  } catch (error) {
    if (isKlosetError(error) && error.details.status !== undefined) return undefined;
    throw error;
  }
}

/** Attempts at a cancellation, and how many of them that get no answer fit into its time. */
const CANCEL_ATTEMPTS = 5;
const CANCEL_SILENT_ATTEMPTS = 3;
const CANCEL_DELAY_MS = 50;

/**
 * Cancels a session. Never fails: not every registry can, and not every token may. It takes `timeoutMs` at most.
 *
 * The trouble that made the session useless may strike its cancellation too: a registry that failed one request in ten
 * was left with a session for every tenth that was given up, each with all that had arrived of a packfile.
 */
export async function cancelUpload(
  exchange: Exchange,
  session: UploadSession,
  timeoutMs: number,
): Promise<void> {
  const deadline = AbortSignal.timeout(timeoutMs);
  for (let attempt = 1; attempt <= CANCEL_ATTEMPTS && !deadline.aborted; attempt++) {
    if (await cancelOnce(exchange, session, timeoutMs / CANCEL_SILENT_ATTEMPTS, deadline)) return;
    await exchange.clock.sleep(CANCEL_DELAY_MS * 2 ** (attempt - 1), deadline).catch(() => {});
  }
  // The registry purges what is left in its own time.
}

/** True when the registry has answered whatever it thinks of this. */
async function cancelOnce(
  exchange: Exchange,
  session: UploadSession,
  timeoutMs: number,
  deadline: AbortSignal,
): Promise<boolean> {
  try {
    const answer = await exchange.transport({
      kind: 'upload-cancel',
      method: 'DELETE',
      url: session.url,
      signal: AbortSignal.any([deadline, AbortSignal.timeout(timeoutMs)]),
    });
    await discardBody(answer);
    return answer.status < 500;
  } catch {
    return false;
  }
}

async function attempt(
  exchange: Exchange,
  session: UploadSession,
  request: RegistryRequest,
): Promise<UploadAnswer> {
  try {
    const { answer, request: last } = await follow(exchange.transport, request);
    const next = nextSession(answer, session, last.url);
    if (ACCEPTED.includes(answer.status)) {
      await discardBody(answer);
      return { ok: true, session: next };
    }
    return {
      ok: false,
      session: next,
      error: await answerError(answer, request, {
        registry: `${exchange.reference.registry}/${exchange.reference.repository}`,
      }),
    };
  } catch (error) {
    return { ok: false, session: { ...session, rangeEnd: undefined }, error: asKlosetError(error) };
  }
}

function sessionOf(answer: RegistryAnswer, base: URL): UploadSession {
  return {
    url: resolveLocation(answer.headers.location, base),
    chunkMinBytes: byteHeader(answer.headers['oci-chunk-min-length']),
    chunkMaxBytes: byteHeader(answer.headers['oci-chunk-max-length']),
    rangeEnd: parseRangeEnd(answer.headers.range),
  };
}

function nextSession(answer: RegistryAnswer, session: UploadSession, base: URL): UploadSession {
  const { location, range } = answer.headers;
  return {
    ...session,
    url: location ? resolveLocation(location, base) : session.url,
    rangeEnd: parseRangeEnd(range),
  };
}

function byteHeader(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,15}$/.test(value.trim()) ? Number(value) : undefined;
}

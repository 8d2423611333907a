import { asKlosetError, type KlosetError, throwIfAborted } from '../errors.ts';
import { classify } from '../flow/classify.ts';
import { attemptsAt, type Exchange } from '../registry/exchange.ts';
import { confirmedOffset } from '../registry/rangeHeader.ts';
import { patchChunk, type UploadSession, uploadStatus } from '../registry/uploads.ts';
import { planChunkBytes } from './chunkPlan.ts';
import { closeSession } from './closeSession.ts';
import type { Chunk, Payload } from './payload.ts';
import {
  isHopeless,
  type Outcome,
  type SessionHolder,
  saysTooLarge,
  storedAfterAll,
  type UploadContext,
} from './uploadAttempt.ts';

/** Where an earlier run got in the session that is continued. */
export interface ChunkedStart {
  readonly offset: number;
  /** Length of its chunks, where it is known. */
  readonly chunkBytes: number | undefined;
}

/** POST, PATCH for each chunk, PUT. The hash of a chunk is computed while it is on the wire. */
export async function uploadChunked(
  payload: Payload,
  holder: SessionHolder,
  context: UploadContext,
  start?: ChunkedStart,
): Promise<Outcome> {
  const { host, signal } = context;
  holder.prepare();
  const session = await holder.get();
  const chunkBytes = planChunkBytes(payload.sizeBytes, {
    // Cloudflare's registry takes equal chunks only, and an earlier run may have sent some.
    wantedBytes: Math.min(start?.chunkBytes ?? context.chunkBytes ?? host.chunkBytes, host.maxBodyBytes),
    minBytes: Math.max(session.chunkMinBytes ?? 1, host.minChunkBytes),
    maxBytes: Math.min(session.chunkMaxBytes ?? Number.POSITIVE_INFINITY, host.maxChunkBytes),
    memoryBytes: context.memoryBytes,
  });

  let offset = start?.offset ?? 0;
  let troubled = false;
  for (;;) {
    const chunk = await payload.load(offset, chunkBytes, signal);
    try {
      if (chunk.last && (host.commitWithLastChunk || chunk.bytes === 0)) {
        const severalChunks = offset > 0 && !start;
        return await commit(payload, holder, context, chunk.bytes > 0 ? chunk : undefined, severalChunks);
      }
      if (!chunk.last) payload.loadAhead(offset + chunk.bytes, chunkBytes, signal);
      const sent = await sendChunk(chunk, holder, context);
      if ('outcome' in sent) return sent.outcome;
      troubled ||= sent.troubled;
      offset += chunk.bytes;
      await holder.confirmed(offset, chunkBytes);
      if (chunk.last) {
        // What was continued may have been continued at a wrong place: that says nothing about chunks in general.
        const severalChunks = offset > chunk.bytes && !start;
        const outcome = await commit(payload, holder, context, undefined, severalChunks);
        if (outcome.kind === 'stored' && !troubled && severalChunks) host.chunksWorked();
        return outcome;
      }
    } finally {
      chunk.release();
    }
    throwIfAborted(signal);
  }
}

function isPassing(error: KlosetError, exchange: Exchange): boolean {
  return classify(error, exchange.host?.health.answered) !== 'final';
}

type Sent = { readonly troubled: boolean } | { readonly outcome: Outcome };

/** Gets one chunk across, whatever it takes within this session. */
async function sendChunk(chunk: Chunk, holder: SessionHolder, context: UploadContext): Promise<Sent> {
  const { exchange, host, signal, onSent } = context;
  let skip = 0;
  let failures = 0;
  let refusedAt: number | undefined;
  const attempts = attemptsAt(exchange, signal, context.onRetry);
  for (;;) {
    // A blob that fits into one chunk goes without Content-Range: that is the one PATCH that all registries take.
    const ranged = chunk.offset > 0 || !chunk.last || skip > 0;
    const session = await holder.get();
    const at = ranged ? chunk.offset + skip : undefined;
    const answer = await patchChunk(exchange, session, chunk.body(skip), at, { signal, onSent });
    holder.moved(answer.session);
    if (answer.ok) return { troubled: failures > 0 };
    const { error } = answer;
    if (signal?.aborted || isHopeless(error, exchange)) throw error;
    failures++;
    const given = refusal(error, chunk, answer.session, context);
    if (given) return { outcome: given };

    // From here on the chunk may have arrived in part, in full or not at all: ask the session.
    const failure = classify(error, exchange.host?.health.answered);
    if (failure !== 'final') {
      const restOnly = chunk.last && chunk.offset > 0;
      if (failure === 'transient') host.chunkFailed(restOnly ? undefined : chunk.bytes);
      const ended = await attempts.next(error).then(
        () => undefined,
        (last) => asKlosetError(last),
      );
      throwIfAborted(signal);
      if (ended) return { outcome: { kind: 'again', error: ended } };
      // Refused before it was handled: the session stands where it did, and asking it would be throttled as well.
      if (failure === 'throttled') continue;
    }
    const reported = await askSession(answer.session, error, holder, context);
    const resumeAt = confirmedOffset(reported, chunk.offset, chunk.offset + chunk.bytes);
    if (resumeAt === undefined || failures > exchange.policy.maxAttempts) {
      return {
        outcome: { kind: 'again', error, reachedBytes: chunk.offset, free: !isPassing(error, exchange) },
      };
    }
    if (resumeAt === chunk.offset + chunk.bytes && error.details.status !== 416) return { troubled: true };
    // Quay reports one byte too many: told the same place again after a refusal, go where it says it ends.
    const place = resumeAt === refusedAt ? resumeAt - 1 : resumeAt;
    if (error.details.status === 416) {
      if (refusedAt !== undefined && place === refusedAt)
        return { outcome: { kind: 'again', error, free: true } };
      refusedAt = resumeAt;
    }
    if (place < chunk.offset) return { outcome: { kind: 'again', error, free: true } };
    // A first chunk that is sent again in place is appended by some (distribution 2) and stored twice by others
    // (Quay): only a new session is safe.
    if (place === 0) return { outcome: { kind: 'again', error } };
    if (place === chunk.offset + chunk.bytes) return { troubled: true };
    skip = place - chunk.offset;
  }
}

/** A refusal that asks for another form, or undefined when the session may go on. */
function refusal(
  error: KlosetError,
  chunk: Chunk,
  { chunkMinBytes }: UploadSession,
  context: UploadContext,
): Outcome | undefined {
  const { host, mode } = context;
  const { status } = error.details;
  if (saysTooLarge(error)) {
    if (status === 416 && mode === 'auto') {
      // GHCR: its limit is on requests with a Content-Range; a whole body without one may be larger.
      host.chunksRefused();
      return { kind: 'again', error, free: true };
    }
    if (!host.bodyRefused(chunk.bytes, chunkMinBytes)) throw error;
    return { kind: 'again', error, free: true };
  }
  if (status === undefined || status === 416 || isPassing(error, context.exchange)) return undefined;
  if (status === 404 || error.code === 'UPLOAD_SESSION_LOST') return { kind: 'again', error, free: true };
  if (mode === 'auto' && host.takesChunks) {
    // Google takes one PATCH and refuses the second one, with no particular status.
    host.chunksRefused();
    return { kind: 'again', error, free: true };
  }
  throw error;
}

async function askSession(
  session: UploadSession,
  error: KlosetError,
  holder: SessionHolder,
  context: UploadContext,
): Promise<number | undefined> {
  // A 416 that says where the session is saves a request.
  if (error.details.status === 416 && session.rangeEnd !== undefined) return session.rangeEnd;
  const status = await uploadStatus(context.exchange, session, context.signal);
  if (status) holder.moved(status);
  return status?.rangeEnd;
}

async function commit(
  payload: Payload,
  holder: SessionHolder,
  context: UploadContext,
  chunk: Chunk | undefined,
  severalChunks: boolean,
): Promise<Outcome> {
  const { exchange, host, signal } = context;
  const digest = await payload.digest(signal);
  const bytes = payload.sizeBytes ?? 0;
  const at = chunk && chunk.offset > 0 ? chunk.offset : undefined;
  const answer = await closeSession(digest, chunk?.body(), at, holder, context);
  if (answer.ok) {
    holder.closed();
    return { kind: 'stored', blob: { digest, bytes } };
  }
  holder.moved(answer.session);
  const { error } = answer;
  if (isHopeless(error, exchange)) throw error;
  const blob = await storedAfterAll(exchange, digest, bytes, signal);
  if (blob) {
    // Otherwise another upload may have stored the blob while this commit came to nothing, and left its session open.
    if (error.code === 'UPLOAD_SESSION_LOST') holder.closed();
    return { kind: 'stored', blob };
  }
  if (saysTooLarge(error)) {
    if (!chunk || !host.bodyRefused(chunk.bytes)) throw error;
    return { kind: 'again', error, free: true };
  }
  const status = error.details.status ?? 0;
  if (status === 500 && !chunk && !host.commitWithLastChunk) {
    // ECR has failed on a closing PUT without a body.
    host.commitWithLastChunk = true;
    return { kind: 'again', error };
  }
  if (error.code === 'BLOB_CORRUPT' || (status >= 400 && status < 500 && !isPassing(error, exchange))) {
    // A chunk that was stored twice or lost shows here, not before. In one body there are no offsets to get wrong.
    if (severalChunks && context.mode === 'auto' && payload.replayable) host.chunksRefused();
    return { kind: 'again', error, free: error.code === 'UPLOAD_SESSION_LOST' };
  }
  return { kind: 'again', error };
}

import { isKlosetError, KlosetError } from '../errors.ts';
import { cancelUpload, commitUpload, postBlob, type UploadSession } from '../registry/uploads.ts';
import { closeSession } from './closeSession.ts';
import type { BlobJournal } from './journal/blobJournal.ts';
import type { Payload } from './payload.ts';
import {
  brokeWhileSending,
  CANCEL_TIMEOUT_MS,
  isHopeless,
  type Outcome,
  type SessionHolder,
  saysTooLarge,
  storedAfterAll,
  type UploadContext,
} from './uploadAttempt.ts';

/** The whole blob in one body: POST and PUT, or a single POST where the host is known to take that. */
export async function uploadMonolithic(
  payload: Payload,
  holder: SessionHolder,
  context: UploadContext,
): Promise<Outcome> {
  const { exchange, host, signal } = context;
  // Sessions that are opened before the answer is known would only have to be cancelled.
  await host.probing;
  // The session opens while the workers hash: a round trip that costs no time.
  if (!host.singlePost) holder.prepare();
  const digest = await payload.digest(signal);
  const bytes = payload.sizeBytes ?? 0;

  if (host.singlePost) {
    const stored = await bySinglePost(payload, digest, holder, context);
    if (stored) return stored;
  }
  const answer = await closeSession(digest, payload.whole(), undefined, holder, context);
  if (answer.ok) {
    holder.closed();
    host.bodyPassed(bytes);
    return { kind: 'stored', blob: { digest, bytes } };
  }
  holder.moved(answer.session);
  const { error } = answer;
  if (isHopeless(error, exchange)) throw error;
  if (saysTooLarge(error)) return tooLarge(error, bytes, context);
  const blob = await storedAfterAll(exchange, digest, bytes, signal);
  if (blob) {
    // Otherwise another upload may have stored the blob while this commit came to nothing, and left its session open.
    if (error.code === 'UPLOAD_SESSION_LOST') holder.closed();
    return { kind: 'stored', blob };
  }
  if (error.code === 'BLOB_CORRUPT') {
    // The bytes lie unchanged in memory: a second refusal is no accident of the line.
    return { kind: 'again', error };
  }
  suspectLength(error, bytes, context);
  return { kind: 'again', error, free: error.code === 'UPLOAD_SESSION_LOST' };
}

/** On to chunks, where there is a choice. */
function tooLarge(error: KlosetError, bytes: number, context: UploadContext): Outcome {
  const { host, mode } = context;
  if (!host.bodyRefused(bytes) || mode !== 'auto' || !host.takesChunks) throw error;
  return { kind: 'again', error, free: true };
}

/** A proxy that refuses a long body may cut the line before its 413 is read: chunks will show. */
function suspectLength(error: KlosetError, bytes: number, context: UploadContext): void {
  const { host, mode } = context;
  if (brokeWhileSending(error) && mode === 'auto' && host.takesChunks) host.bodySuspected(bytes);
}

async function bySinglePost(
  payload: Payload,
  digest: string,
  holder: SessionHolder,
  context: UploadContext,
): Promise<Outcome | undefined> {
  const { exchange, host, signal, onSent } = context;
  const bytes = payload.sizeBytes ?? 0;
  try {
    const result = await postBlob(exchange, digest, payload.whole(), { signal, onSent });
    if (result === 'stored') {
      host.bodyPassed(bytes);
      return { kind: 'stored', blob: { digest, bytes } };
    }
    // It said yes to two bytes and opens a session for more: the body went nowhere.
    host.singlePost = false;
    holder.moved(result);
    return undefined;
  } catch (error) {
    if (!isKlosetError(error) || isHopeless(error, exchange)) throw error;
    // The length is to blame, not the form: a PUT of the same bytes would be refused as well.
    if (saysTooLarge(error)) return tooLarge(error, bytes, context);
    if (error.code === 'BLOB_CORRUPT') return { kind: 'again', error };
    if (error.details.status !== undefined && error.details.status < 500 && error.code !== 'RATE_LIMITED') {
      host.singlePost = false;
      return undefined;
    }
    const blob = await storedAfterAll(exchange, digest, bytes, signal);
    if (blob) return { kind: 'stored', blob };
    suspectLength(error, bytes, context);
    return { kind: 'again', error };
  }
}

/**
 * Uploads a blob of a few bytes, and learns from it whether the host takes blobs with the first request: with a
 * two-byte blob it costs nothing to try what with a packfile would cost all its bytes again.
 *
 * @throws KlosetError
 */
export async function probeSinglePost(
  exchange: UploadContext['exchange'],
  host: UploadContext['host'],
  digest: string,
  content: Uint8Array,
  signal?: AbortSignal,
  openJournal?: () => Promise<BlobJournal | undefined>,
): Promise<boolean> {
  const body = { bytes: content.length, slices: () => [content] };
  const { promise, resolve } = Promise.withResolvers<void>();
  host.probing = promise;
  let session: UploadSession | undefined;
  let journal: BlobJournal | undefined;
  try {
    const result = await postBlob(exchange, digest, body, { signal });
    host.singlePost = result === 'stored';
    resolve();
    if (result === 'stored') return true;
    session = result;
    journal = await openJournal?.();
    await journal?.opened(session);
    const answer = await commitUpload(exchange, session, digest, body, undefined, { signal });
    session = answer.ok ? undefined : answer.session;
    return answer.ok;
  } catch (error) {
    if (!(error instanceof KlosetError) || isHopeless(error, exchange)) throw error;
    host.singlePost = false;
    return false;
  } finally {
    resolve();
    if (session) await cancelUpload(exchange, session, CANCEL_TIMEOUT_MS);
    journal?.closed();
  }
}

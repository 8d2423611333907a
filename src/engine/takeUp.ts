import { repositoryUrl } from '../registry/exchange.ts';
import { checkTarget } from '../registry/uploadLocation.ts';
import { cancelUpload, type UploadSession, uploadStatus } from '../registry/uploads.ts';
import type { ChunkedStart } from './chunkedUpload.ts';
import { resumeOffset } from './journal/policy.ts';
import type { Payload } from './payload.ts';
import { CANCEL_TIMEOUT_MS, storedAfterAll, type UploadContext, type UploadedBlob } from './uploadAttempt.ts';

/** The session of an earlier run, and where it is. */
export interface TakenUp extends ChunkedStart {
  readonly session: UploadSession;
}

/**
 * What an earlier run has left of a blob: the blob itself, where only its manifest is missing, or a session that goes
 * on where it was left. `undefined` when there is nothing to continue; a session of no use is cancelled then.
 *
 * @throws KlosetError
 */
export async function takeUp(
  payload: Payload,
  context: UploadContext,
): Promise<UploadedBlob | TakenUp | undefined> {
  const taken = await whatIsLeft(payload, context);
  // A blob that is there whole was sent by the earlier run as well, and by nobody since.
  if (taken) context.onResumed?.('digest' in taken ? taken.bytes : taken.offset);
  return taken;
}

async function whatIsLeft(
  payload: Payload,
  context: UploadContext,
): Promise<UploadedBlob | TakenUp | undefined> {
  const { journal, exchange, host, signal, mode } = context;
  const bytes = payload.sizeBytes;
  if (!journal || bytes === undefined || !payload.replayable) return undefined;
  const blob = await storedEarlier(payload, bytes, context);
  const left = journal.takeSession();
  if (!left) return blob;
  let session: UploadSession = { url: new URL(left.url) };
  if (mayAsk(session.url, context)) {
    if (!blob && host.formFor(bytes, payload.prefersWhole, mode) === 'chunked') {
      const status = await uploadStatus(exchange, session, signal);
      const offset = resumeOffset(status?.rangeEnd, left.confirmedBytes, bytes);
      if (status && offset !== undefined) return { session: status, offset, chunkBytes: left.chunkBytes };
      // Also where it does not say where it is: ECR answers 404 for sessions that live.
      session = status ?? session;
    }
    await cancelUpload(exchange, session, CANCEL_TIMEOUT_MS);
  }
  journal.closed();
  // A session is also gone when it was committed.
  return blob ?? storedAfterAll(exchange, await payload.digest(signal), bytes, signal);
}

/** Whether the registry itself might send us there: a journal must not lead further than its answers. */
function mayAsk(url: URL, { exchange }: UploadContext): boolean {
  try {
    checkTarget(url, repositoryUrl(exchange, ''));
    return true;
  } catch {
    return false;
  }
}

/** The blob, where an earlier run has sent it to its end. */
async function storedEarlier(
  payload: Payload,
  bytes: number,
  { journal, exchange, signal }: UploadContext,
): Promise<UploadedBlob | undefined> {
  // Where the digest is known before the first byte is sent, it is there to be looked up; else only this is worth it.
  if (!journal?.wasStored && !(payload.prefersWhole && journal?.remembersBlobs)) return undefined;
  const digest = await payload.digest(signal);
  return journal.takeStored(digest) ? storedAfterAll(exchange, digest, bytes, signal) : undefined;
}

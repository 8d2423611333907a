import { asKlosetError, KlosetError, throwIfAborted } from '../errors.ts';
import { classify, describeAttempts, retryDelayMs } from '../flow/retry.ts';
import { describeReference } from '../registry/reference.ts';
import { uploadChunked } from './chunkedUpload.ts';
import { uploadMonolithic } from './monolithicUpload.ts';
import type { Payload } from './payload.ts';
import { type TakenUp, takeUp } from './takeUp.ts';
import { type Outcome, SessionHolder, type UploadContext, type UploadedBlob } from './uploadAttempt.ts';

// Restarts that registries force on us without a network failure: a lost session, a changed form.
const MAX_FREE_RESTARTS = 12;

/**
 * Uploads one blob: attempts in the form that suits the host, until it is stored or nothing is left to try. Knows
 * how registries misbehave; each fallback is remembered for the host, so that it is paid for once.
 *
 * @throws KlosetError
 */
export async function uploadBlob(payload: Payload, context: UploadContext): Promise<UploadedBlob> {
  const { exchange, signal } = context;
  const startedMs = exchange.clock.now();
  let failures = 0;
  let restarts = 0;
  let furthestBytes = 0;
  let taken = await takeUp(payload, context);
  if (taken && 'digest' in taken) return taken;
  for (;;) {
    throwIfAborted(signal);
    // A file that was written to between its two reads is refused for its digest; the file is to blame then.
    if (restarts + failures > 0) await payload.verifyUnchanged();
    const holder = new SessionHolder(exchange, context.journal, taken?.session);
    let outcome: Outcome;
    try {
      outcome = await attemptOnce(payload, holder, context, taken);
    } catch (error) {
      // Interrupted, or the registry is away: the same command continues here. A source that changed is another one.
      if (!asKlosetError(error).code.startsWith('SOURCE_')) holder.leave();
      throw error;
    } finally {
      await holder.abandon();
    }
    taken = undefined;
    if (outcome.kind === 'stored') {
      context.journal?.stored(outcome.blob.digest);
      return outcome.blob;
    }
    throwIfAborted(signal);
    const tried = describeAttempts(restarts + failures + 1, exchange.clock.now() - startedMs);
    const details = { registry: describeReference(exchange.reference), tried };
    if (!payload.replayable) {
      throw new KlosetError('UPLOAD_SESSION_LOST', 'the upload broke, and its stream cannot be read again', {
        ...details,
        remedy: 'Push from a file, which can be read again.',
        cause: outcome.error,
      });
    }
    if (outcome.free) {
      if (++restarts > MAX_FREE_RESTARTS) throw outcome.error.with(details);
      continue;
    }
    // A new session starts from nothing: only getting further than ever before is progress. Else a registry that
    // breaks each session at its second chunk would be tried for ever.
    const progressed = (outcome.reachedBytes ?? 0) > furthestBytes;
    furthestBytes = Math.max(furthestBytes, outcome.reachedBytes ?? 0);
    failures = progressed ? 1 : failures + 1;
    const delayMs = retryDelayMs(exchange.policy, transientForm(outcome.error), failures);
    if (delayMs === undefined) throw outcome.error.with(details);
    context.onRetry?.(outcome.error, delayMs);
    await exchange.clock.sleep(delayMs, signal);
  }
}

function attemptOnce(
  payload: Payload,
  holder: SessionHolder,
  context: UploadContext,
  taken: TakenUp | undefined,
): Promise<Outcome> {
  if (taken) return uploadChunked(payload, holder, context, taken);
  const form = context.host.formFor(
    payload.sizeBytes ?? Number.POSITIVE_INFINITY,
    payload.prefersWhole,
    context.mode,
  );
  if (form === 'monolithic' && payload.replayable) return uploadMonolithic(payload, holder, context);
  return uploadChunked(payload, holder, context);
}

// Whatever asked for another attempt is worth the backoff of a transient failure.
function transientForm(error: KlosetError): KlosetError {
  return classify(error) === 'final' ? new KlosetError('CONNECTION_LOST', error.summary) : error;
}

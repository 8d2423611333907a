import { classify } from '../flow/classify.ts';
import { attemptsAt } from '../registry/exchange.ts';
import type { RequestBody } from '../registry/transport.ts';
import { commitUpload, type UploadAnswer } from '../registry/uploads.ts';
import type { SessionHolder, UploadContext } from './uploadAttempt.ts';

/**
 * The closing PUT, with the whole blob, its last chunk, or nothing. Where it is throttled, nothing has happened to the
 * session, and it is closed a while later: a new one would cost another request, which under a tight limit is the one
 * that is missing each time, and all chunks again.
 *
 * @param offset position of a last chunk, or undefined
 * @throws KlosetError RATE_LIMITED when it is throttled to the end
 */
export async function closeSession(
  digest: string,
  body: RequestBody | undefined,
  offset: number | undefined,
  holder: SessionHolder,
  context: UploadContext,
): Promise<UploadAnswer> {
  const { exchange, signal, onSent } = context;
  const attempts = attemptsAt(exchange, signal, context.onRetry);
  for (;;) {
    const session = await holder.get();
    const answer = await commitUpload(exchange, session, digest, body, offset, { signal, onSent });
    if (answer.ok || classify(answer.error) !== 'throttled') return answer;
    holder.moved(answer.session);
    await attempts.next(answer.error);
  }
}

import { asKlosetError, type KlosetError } from '../../errors.ts';
import { commitUpload, patchChunk, postBlob, startUpload } from '../../registry/uploads.ts';
import { bodyOf } from './content.ts';
import type { DoctorContext, OwnBlob } from './context.ts';

/** `stored`, or what the registry answered. */
export type Stored = 'stored' | KlosetError;

/** POST and PUT: the form that every registry takes. */
export function storeWhole(context: DoctorContext, blob: OwnBlob): Promise<Stored> {
  return inSession(context, blob, async (session) =>
    commitUpload(context.exchange, session.current, blob.digest, bodyOf(blob.content), undefined, context),
  );
}

/** POST, one PATCH without a range, and an empty PUT: what Docker does. */
export function storeStreamed(context: DoctorContext, blob: OwnBlob): Promise<Stored> {
  return inSession(context, blob, async (session) => {
    const { exchange } = context;
    const sent = await patchChunk(exchange, session.current, bodyOf(blob.content), undefined, context);
    session.current = sent.session;
    if (!sent.ok) return sent;
    return commitUpload(exchange, session.current, blob.digest, undefined, undefined, context);
  });
}

/**
 * POST, chunks with their ranges, and a PUT.
 *
 * @param lastInCommit the last chunk goes in the PUT
 */
export function storeChunked(
  context: DoctorContext,
  blob: OwnBlob,
  chunkBytes: number,
  lastInCommit: boolean,
): Promise<Stored> {
  return inSession(context, blob, async (session) => {
    const { exchange } = context;
    const { content, digest } = blob;
    let at = 0;
    for (; content.length - at > (lastInCommit ? chunkBytes : 0); at += chunkBytes) {
      const chunk = bodyOf(content.subarray(at, at + chunkBytes));
      const sent = await patchChunk(exchange, session.current, chunk, at, context);
      session.current = sent.session;
      if (!sent.ok) return sent;
    }
    const rest = lastInCommit ? bodyOf(content.subarray(at)) : undefined;
    return commitUpload(exchange, session.current, digest, rest, rest && at, context);
  });
}

/** POST with the bytes, and nothing else. `undefined` where the registry opens a session instead. */
export async function storeAtOnce(context: DoctorContext, blob: OwnBlob): Promise<Stored | undefined> {
  const { exchange, trash } = context;
  try {
    const result = await postBlob(exchange, blob.digest, bodyOf(blob.content), context);
    if (result !== 'stored') {
      trash.session(result);
      return undefined;
    }
    trash.blob(blob.digest, blob.content.length);
    return 'stored';
  } catch (error) {
    return asRefusal(error, context);
  }
}

type Session = ReturnType<DoctorContext['trash']['session']>;

async function inSession(
  context: DoctorContext,
  blob: OwnBlob,
  send: (session: Session) => Promise<{ ok: true } | { ok: false; error: KlosetError }>,
): Promise<Stored> {
  try {
    const started = await startUpload(context.exchange);
    if (started === 'mounted') return 'stored';
    const session = context.trash.session(started);
    const answer = await send(session);
    if (!answer.ok) return asRefusal(answer.error, context);
    session.closed();
    context.trash.blob(blob.digest, blob.content.length);
    return 'stored';
  } catch (error) {
    return asRefusal(error, context);
  }
}

/** A refusal is what was asked for; an interruption is not. */
function asRefusal(thrown: unknown, context: DoctorContext): KlosetError {
  const error = asKlosetError(thrown);
  if (context.signal?.aborted || error.code === 'INTERNAL') throw error;
  return error;
}

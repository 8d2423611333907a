import { type Answer, empty, failure, notAllowed } from './answers.ts';
import type { Intake } from './behaviour.ts';
import type { Call, Context } from './context.ts';
import { type Algorithm, algorithmOf, isAlgorithm, isDigest, isRepositoryName } from './names.ts';
import { TAKE_ALL, unknownUpload } from './uploadRules.ts';
import { UploadSession } from './uploadSessions.ts';

/** `POST /v2/<name>/blobs/uploads/`: a session, a mount, or a whole blob at once. */
export async function startUpload(context: Context, call: Call): Promise<Answer | undefined> {
  if (call.method !== 'POST') return notAllowed('POST');
  const { query, repository } = call;
  const { uploads } = context.behaviour;
  const refused = uploads.refuseMount?.(call);
  if (refused) return refused;
  const mounted = await mount(context, call);
  if (mounted) return mounted;
  const digest = query.get('digest');
  if (digest !== null) {
    const fate = uploads.singlePost(call);
    if (fate === 'stored') return single(context, call, digest);
    if (fate !== 'ignored') return fate;
    if ((await call.body.drain()) !== 'whole') return undefined;
  }
  let algorithm: Algorithm = 'sha256';
  const wanted = query.get('digest-algorithm');
  if (wanted !== null) {
    if (!isAlgorithm(wanted)) {
      return failure(
        400,
        'DIGEST_INVALID',
        `the digest algorithm ${JSON.stringify(wanted)} is not supported`,
      );
    }
    algorithm = wanted;
  }
  context.catalogue.create(repository);
  return uploads.tell('opened', context.sessions.open(repository, algorithm), call);
}

/** The resource of one session: status, chunks, closing and cancelling. */
export async function uploadSession(context: Context, call: Call): Promise<Answer | undefined> {
  const { uploads } = context.behaviour;
  const session = uploads.find(context, call);
  if (!(session instanceof UploadSession)) return session;
  switch (call.method) {
    case 'GET':
      return uploads.tell('status', session, call);
    case 'PATCH':
      return appendChunk(context, call, session);
    case 'PUT':
      return closeUpload(context, call, session);
    case 'DELETE':
      if (!context.sessions.close(session)) return unknownUpload();
      session.takeOver();
      await session.sink.discard();
      return empty(204);
    default:
      return notAllowed('GET, PATCH, PUT, DELETE');
  }
}

async function mount(context: Context, call: Call): Promise<Answer | undefined> {
  const digest = call.query.get('mount');
  const from = call.query.get('from');
  // Without a source, or without the blob there, the specification asks for an ordinary session.
  if (digest === null || !isDigest(digest) || from === null || !isRepositoryName(from)) return undefined;
  return context.lock.run(digest, async () => {
    const entry = context.catalogue.get(from)?.blobs.get(digest);
    if (!entry) return undefined;
    await context.storage.linkBlob(call.repository, digest);
    context.catalogue.link(context.catalogue.create(call.repository), digest, entry.size);
    return created(call.repository, digest);
  });
}

async function single(context: Context, call: Call, digest: string): Promise<Answer | undefined> {
  if (!isDigest(digest)) return invalidDigest(digest);
  const session = context.sessions.create(call.repository, algorithmOf(digest));
  return receiveLast(context, call, session, digest);
}

async function appendChunk(
  context: Context,
  call: Call,
  session: UploadSession,
): Promise<Answer | undefined> {
  session.takeOver();
  const { uploads } = context.behaviour;
  const intake = uploads.takeChunk(call, session);
  if ('status' in intake) return intake;
  const before = session.bytes;
  const end = await receive(context, call, session, intake);
  if (end === 'stopped') return superseded();
  if (end !== 'whole') return undefined;
  session.chunks.push(session.bytes - before);
  return uploads.tell('chunk', session, call);
}

async function closeUpload(
  context: Context,
  call: Call,
  session: UploadSession,
): Promise<Answer | undefined> {
  const digest = call.query.get('digest');
  if (digest === null || !isDigest(digest)) return invalidDigest(digest ?? '');
  session.takeOver();
  const intake = context.behaviour.uploads.takeLast(call, session);
  if ('status' in intake) return intake;
  session.expect(algorithmOf(digest));
  return receiveLast(context, call, session, digest, intake);
}

async function receiveLast(
  context: Context,
  call: Call,
  session: UploadSession,
  digest: string,
  intake: Intake = TAKE_ALL,
): Promise<Answer | undefined> {
  const addressable = context.sessions.get(session.repository, session.id) === session;
  const before = session.bytes;
  const end = await receive(context, call, session, intake);
  if (end !== 'whole') {
    // Nobody can come back to the upload of a single POST.
    if (!addressable) await session.sink.discard();
    return end === 'stopped' ? superseded() : undefined;
  }
  if (addressable && !context.sessions.close(session)) return unknownUpload();
  const refused = context.behaviour.uploads.refuseCommit?.(session, session.bytes === before);
  if (refused) {
    await session.sink.discard();
    return refused;
  }
  try {
    const actual = await session.digest(algorithmOf(digest));
    if (actual !== digest) {
      await session.sink.discard();
      const { wrongDigest } = context.behaviour.uploads;
      if (wrongDigest) return wrongDigest(digest);
      return invalidDigest(digest, `the uploaded bytes have the digest ${actual}`);
    }
    await context.lock.run(digest, async () => {
      await context.storage.publish(session.sink, digest);
      await context.storage.linkBlob(session.repository, digest);
      context.catalogue.link(context.catalogue.create(session.repository), digest, session.bytes);
    });
  } catch (error) {
    await session.sink.discard();
    throw error;
  }
  context.behaviour.uploads.stored?.(session.repository, digest);
  return created(session.repository, digest);
}

async function receive(context: Context, call: Call, session: UploadSession, intake: Intake) {
  try {
    const end = await session.receive(call.body, intake.skipBytes);
    if (end === 'cut' && context.behaviour.uploads.endsWhenCut && context.sessions.close(session)) {
      await session.sink.discard();
    }
    return end;
  } catch (error) {
    // After a failed write the stored bytes and the hash disagree: the session is of no use any more.
    context.sessions.close(session);
    await session.sink.discard();
    throw error;
  }
}

function created(repository: string, digest: string): Answer {
  return empty(201, { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest });
}

function superseded(): Answer {
  return failure(416, 'BLOB_UPLOAD_INVALID', 'a later request took the upload session over');
}

function invalidDigest(
  digest: string,
  why = 'the digest is missing, malformed or of an unknown algorithm',
): Answer {
  return failure(400, 'DIGEST_INVALID', why, { detail: { digest } });
}

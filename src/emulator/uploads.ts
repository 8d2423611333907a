import { type Answer, type AnswerHeaders, empty, failure, notAllowed } from './answers.ts';
import type { Call, Context } from './context.ts';
import { type Algorithm, algorithmOf, isAlgorithm, isDigest, isRepositoryName } from './names.ts';
import type { UploadSession } from './uploadSessions.ts';

/** `POST /v2/<name>/blobs/uploads/`: a session, a mount, or a whole blob at once. */
export async function startUpload(context: Context, call: Call): Promise<Answer | undefined> {
  if (call.method !== 'POST') return notAllowed('POST');
  const { query, repository } = call;
  const mounted = await mount(context, call);
  if (mounted) return mounted;
  const digest = query.get('digest');
  if (digest !== null) return single(context, call, digest);
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
  return progress(202, context.sessions.open(repository, algorithm));
}

/** The resource of one session: status, chunks, closing and cancelling. */
export async function uploadSession(context: Context, call: Call): Promise<Answer | undefined> {
  const session = context.sessions.get(call.repository, call.reference);
  if (!session) return unknownUpload();
  switch (call.method) {
    case 'GET':
      return progress(204, session);
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
  const refused = checkRange(call, session);
  if (refused) return refused;
  const end = await receive(context, call, session);
  if (end === 'stopped') return superseded();
  return end === 'whole' ? progress(202, session) : undefined;
}

async function closeUpload(
  context: Context,
  call: Call,
  session: UploadSession,
): Promise<Answer | undefined> {
  const digest = call.query.get('digest');
  if (digest === null || !isDigest(digest)) return invalidDigest(digest ?? '');
  session.takeOver();
  const refused = checkRange(call, session);
  if (refused) return refused;
  session.expect(algorithmOf(digest));
  return receiveLast(context, call, session, digest);
}

async function receiveLast(
  context: Context,
  call: Call,
  session: UploadSession,
  digest: string,
): Promise<Answer | undefined> {
  const addressable = context.sessions.get(session.repository, session.id) === session;
  const end = await receive(context, call, session);
  if (end !== 'whole') {
    // Nobody can come back to the upload of a single POST.
    if (!addressable) await session.sink.discard();
    return end === 'stopped' ? superseded() : undefined;
  }
  if (addressable && !context.sessions.close(session)) return unknownUpload();
  try {
    const actual = await session.digest(algorithmOf(digest));
    if (actual !== digest) {
      await session.sink.discard();
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
  return created(session.repository, digest);
}

async function receive(context: Context, call: Call, session: UploadSession) {
  try {
    return await session.receive(call.body);
  } catch (error) {
    // After a failed write the stored bytes and the hash disagree: the session is of no use any more.
    context.sessions.close(session);
    await session.sink.discard();
    throw error;
  }
}

const CONTENT_RANGE = /^([0-9]+)-([0-9]+)$/;

function checkRange(call: Call, session: UploadSession): Answer | undefined {
  const header = call.headers['content-range'];
  if (header === undefined) return undefined;
  const match = CONTENT_RANGE.exec(header);
  if (!match) return failure(400, 'BLOB_UPLOAD_INVALID', 'Content-Range is not of the form <start>-<end>');
  const start = Number(match[1]);
  const length = Number(match[2]) - start + 1;
  if (start !== session.bytes) {
    return failure(416, 'BLOB_UPLOAD_INVALID', `the next chunk has to start at ${session.bytes}`, {
      headers: sessionHeaders(session),
    });
  }
  const declared = call.body.declared;
  if (declared !== undefined && declared !== length) {
    return failure(400, 'SIZE_INVALID', `Content-Range says ${length} bytes and Content-Length ${declared}`);
  }
  return undefined;
}

function progress(status: number, session: UploadSession): Answer {
  return empty(status, sessionHeaders(session));
}

function sessionHeaders(session: UploadSession): AnswerHeaders {
  return {
    Location: `/v2/${session.repository}/blobs/uploads/${session.id}`,
    Range: `0-${Math.max(0, session.bytes - 1)}`,
    'Docker-Upload-UUID': session.id,
  };
}

function created(repository: string, digest: string): Answer {
  return empty(201, { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest });
}

function unknownUpload(): Answer {
  return failure(404, 'BLOB_UPLOAD_UNKNOWN', 'the upload session is unknown');
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

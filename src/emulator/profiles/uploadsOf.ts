import { type Answer, type AnswerHeaders, empty } from '../answers.ts';
import type { UploadRules } from '../behaviour.ts';
import type { Call } from '../context.ts';
import type { UploadSession } from '../uploadSessions.ts';
import { judgeChunk, judgeLast } from './chunkRules.ts';
import type { RangeSpelling, Refusal, UploadProfile } from './profile.ts';
import { spellRange } from './rangeSpelling.ts';
import { refuse } from './refusals.ts';
import { SessionSeal } from './sessionState.ts';

/** The upload sessions of a profile. */
export function uploadsOf(profile: UploadProfile, secure: boolean): UploadRules {
  const { wrongDigest } = profile;
  const seal = new SessionSeal(profile.state);

  const locate = (session: UploadSession, call: Call): string => {
    const suffix = profile.location === 'http' ? '.patch' : '';
    const path = `/v2/${session.repository}/blobs/uploads/${session.id}${suffix}${seal.queryOf(session)}`;
    if (profile.location === 'relative') return path;
    const scheme = secure && profile.location !== 'http' ? 'https' : 'http';
    return `${scheme}://${call.headers.host ?? 'localhost'}${path}`;
  };
  const headersOf = (spelling: RangeSpelling, session: UploadSession, call: Call): AnswerHeaders => {
    const range = spellRange(spelling, session);
    return {
      Location: locate(session, call),
      'Docker-Upload-UUID': session.id,
      ...(range !== undefined && { Range: range }),
    };
  };
  const refuseChunk = (
    refusal: Refusal,
    session: UploadSession,
    call: Call,
    values: Record<string, number> = {},
  ): Answer => {
    const telling = refusal.status === 416 && profile.range.refused !== 'none';
    const headers = telling ? headersOf(profile.range.refused, session, call) : {};
    return refuse(refusal, { ...values, expected: session.bytes }, headers);
  };

  return {
    singlePost(call) {
      if (profile.singlePost !== 'strict') {
        const { maxBytes } = profile.last;
        const tooLong =
          profile.singlePost === 'stored' && maxBytes && (call.body.declared ?? 0) > maxBytes.bytes;
        return tooLong ? refuse(maxBytes.refusal) : profile.singlePost;
      }
      if (call.headers['content-type'] !== 'application/octet-stream') return refuse(WRONG_TYPE);
      return call.headers['content-length'] === undefined ? refuse(NO_LENGTH) : 'stored';
    },
    find(context, call) {
      const id = profile.location === 'http' ? call.reference.replace(/\.patch$/, '') : call.reference;
      const session = context.sessions.get(call.repository, id);
      const asks = call.method === 'GET';
      if (!session || (asks && profile.status === 'not-found')) {
        return refuse((asks ? profile.unknownStatus : undefined) ?? profile.unknown);
      }
      if (asks && profile.state !== 'sealed') return session;
      const verdict = seal.judge(session, call.query);
      if (verdict === 'fresh' || !profile.stale) return session;
      if (verdict === 'missing') return refuse(profile.forged ?? profile.stale);
      return refuseChunk(profile.stale, session, call);
    },
    takeChunk: (call, session) => judgeChunk(profile, call, session, refuseChunk),
    takeLast: (call, session) => judgeLast(profile, call, session, refuseChunk),
    tell(moment, session, call) {
      const status = { opened: 202, chunk: profile.chunkStatus, status: 204 }[moment];
      const headers = headersOf(profile.range[moment], session, call);
      if (moment === 'status' && profile.status === 'without-location') delete headers.Location;
      if (moment === 'opened' && profile.chunkHeaders) {
        headers['OCI-Chunk-Min-Length'] = String(profile.chunkHeaders.minBytes);
        headers['OCI-Chunk-Max-Length'] = String(profile.chunkHeaders.maxBytes);
      }
      return empty(status, headers);
    },
    refuseMount(call) {
      const mount = call.query.get('mount');
      const from = call.query.get('from');
      if (mount !== null && from === null && profile.mount?.withoutFrom)
        return refuse(profile.mount.withoutFrom);
      if (mount === null && from !== null && profile.mount?.withoutDigest)
        return refuse(profile.mount.withoutDigest);
      return undefined;
    },
    refuseCommit(session, emptyBody) {
      const { emptyBlob, last, smallChunk } = profile;
      if (session.bytes === 0 && emptyBlob) return refuse(emptyBlob);
      if (emptyBody && session.chunks.length > 0 && last.empty) return refuse(last.empty);
      if (!smallChunk) return undefined;
      // The body of the closing PUT is the last chunk, where there is one.
      const others = emptyBody ? session.chunks.slice(0, -1) : session.chunks;
      return others.some((bytes) => bytes < smallChunk.minBytes) ? refuse(smallChunk.refusal) : undefined;
    },
    ...(wrongDigest && { wrongDigest: (digest) => refuse(wrongDigest, { digest }) }),
    ...(profile.endsWhenCut && { endsWhenCut: true }),
  };
}

const WRONG_TYPE: Refusal = { status: 415, message: '', form: 'bare' };
const NO_LENGTH: Refusal = {
  status: 400,
  code: 'BLOB_UPLOAD_INVALID',
  message: 'the upload has no Content-Length',
};

import type { Answer } from '../answers.ts';
import type { Intake } from '../behaviour.ts';
import type { Call } from '../context.ts';
import { readContentRange, TAKE_ALL } from '../uploadRules.ts';
import type { UploadSession } from '../uploadSessions.ts';
import type { Refusal, UploadProfile } from './profile.ts';

type Refuse = (
  refusal: Refusal,
  session: UploadSession,
  call: Call,
  values?: Record<string, number>,
) => Answer;

/** Judges a PATCH by its head. */
export function judgeChunk(
  profile: UploadProfile,
  call: Call,
  session: UploadSession,
  refuse: Refuse,
): Intake | Answer {
  const { contentType, secondChunk } = profile;
  const type = call.headers['content-type'];
  if (contentType && type !== undefined && type !== 'application/octet-stream') {
    return refuse(contentType, session, call);
  }
  if (profile.chunks === 'single' && secondChunk && session.chunks.length > 0) {
    return refuse(secondChunk, session, call);
  }
  return judgeRange(profile, call, session, refuse);
}

/** Judges a closing PUT by its head. */
export function judgeLast(
  profile: UploadProfile,
  call: Call,
  session: UploadSession,
  refuse: Refuse,
): Intake | Answer {
  const { last } = profile;
  const { declared } = call.body;
  const ranged = call.headers['content-range'] !== undefined;
  if (last.maxBytes && declared !== undefined && declared > last.maxBytes.bytes) {
    return refuse(last.maxBytes.refusal, session, call);
  }
  if (last.rangedWhole && ranged && session.bytes === 0) return refuse(last.rangedWhole, session, call);
  if (profile.chunks === 'single' && profile.secondChunk && declared !== 0 && session.chunks.length > 0) {
    return refuse(profile.secondChunk, session, call);
  }
  if (last.body === 'lost' && session.chunks.length > 0) return DROP;
  if (last.body === 'declared') {
    // zot reads a body that has a length or a range; without a range it belongs at 0.
    if (declared === undefined && !ranged) return DROP;
    if (!ranged && declared !== 0 && session.bytes > 0) return refuse(profile.misplaced, session, call);
  }
  if (last.range === 'ignored') return TAKE_ALL;
  return judgeRange(profile, call, session, refuse);
}

const DROP: Intake = { skipBytes: Number.POSITIVE_INFINITY };

function judgeRange(
  profile: UploadProfile,
  call: Call,
  session: UploadSession,
  refuse: Refuse,
): Intake | Answer {
  const header = call.headers['content-range'];
  const { declared } = call.body;
  if (header === undefined) {
    // Quay takes a chunk without a range for one that starts at 0, and 0 for no overlap.
    return profile.chunks === 'equal' ? judgeLength(profile, declared ?? 0, call, session, refuse) : TAKE_ALL;
  }
  if (profile.chunks === 'ignored') return TAKE_ALL;
  if (profile.rangeNeedsLength && declared === undefined) return TAKE_ALL;
  if (profile.chunkedRange && declared === undefined) return refuse(profile.chunkedRange, session, call);
  const { rangedBody } = profile;
  const range = readContentRange(header);
  if (range === 'malformed') return refuse(profile.malformedRange, session, call);
  const length = range.end - range.start + 1;
  if (rangedBody && Math.max(length, declared ?? 0) > rangedBody.maxBytes) {
    return refuse(rangedBody.refusal, session, call);
  }
  if (profile.wrongLength && declared !== undefined && declared !== length && range.start === session.bytes) {
    return refuse(profile.wrongLength, session, call);
  }
  if (profile.chunks === 'overlapping') {
    if (range.start > session.bytes) return refuse(profile.misplaced, session, call);
    // A chunk from 0 is no overlap there: it is stored, and hashed, once more.
    return range.start === 0 ? TAKE_ALL : { skipBytes: session.bytes - range.start };
  }
  const misplaced =
    session.chunks.length > 0 ? (profile.misplacedAgain ?? profile.misplaced) : profile.misplaced;
  if (range.start !== session.bytes) return refuse(misplaced, session, call, { start: range.start });
  if (profile.chunks !== 'equal') return TAKE_ALL;
  // Cloudflare takes an end that is not behind the start for an error, which leaves out chunks of one byte.
  return length < 2 ? refuse(misplaced, session, call) : judgeLength(profile, length, call, session, refuse);
}

/** Parts of one length and a shorter last one, as R2 wants them. */
function judgeLength(
  profile: UploadProfile,
  length: number,
  call: Call,
  session: UploadSession,
  refuse: Refuse,
): Intake | Answer {
  const [first] = session.chunks;
  if (first === undefined) return TAKE_ALL;
  const before = session.chunks.at(-1) ?? first;
  const min = profile.chunkHeaders?.minBytes ?? 0;
  return length <= first && before === first && first >= min
    ? TAKE_ALL
    : refuse(profile.misplaced, session, call);
}

import { type Answer, type AnswerHeaders, empty, failure } from './answers.ts';
import type { Intake, UploadRules } from './behaviour.ts';
import type { Call } from './context.ts';
import type { UploadSession } from './uploadSessions.ts';

export const TAKE_ALL: Intake = { skipBytes: 0 };

/** Upload sessions as the specification describes them. */
export const specifiedUploads: UploadRules = {
  singlePost: () => 'stored',
  find: (context, call) => context.sessions.get(call.repository, call.reference) ?? unknownUpload(),
  takeChunk: inOrder,
  takeLast: inOrder,
  tell: (moment, session) => empty(moment === 'status' ? 204 : 202, sessionHeaders(session)),
};

export function unknownUpload(): Answer {
  return failure(404, 'BLOB_UPLOAD_UNKNOWN', 'the upload session is unknown');
}

/** The stretch that a `Content-Range` names; `malformed` for any other text. */
export function readContentRange(header: string): { start: number; end: number } | 'malformed' {
  const match = /^([0-9]+)-([0-9]+)$/.exec(header);
  return match ? { start: Number(match[1]), end: Number(match[2]) } : 'malformed';
}

function inOrder(call: Call, session: UploadSession): Intake | Answer {
  const header = call.headers['content-range'];
  if (header === undefined) return TAKE_ALL;
  const range = readContentRange(header);
  if (range === 'malformed') {
    return failure(400, 'BLOB_UPLOAD_INVALID', 'Content-Range is not of the form <start>-<end>');
  }
  if (range.start !== session.bytes) {
    return failure(416, 'BLOB_UPLOAD_INVALID', `the next chunk has to start at ${session.bytes}`, {
      headers: sessionHeaders(session),
    });
  }
  const length = range.end - range.start + 1;
  const declared = call.body.declared;
  if (declared !== undefined && declared !== length) {
    return failure(400, 'SIZE_INVALID', `Content-Range says ${length} bytes and Content-Length ${declared}`);
  }
  return TAKE_ALL;
}

function sessionHeaders(session: UploadSession): AnswerHeaders {
  return {
    Location: `/v2/${session.repository}/blobs/uploads/${session.id}`,
    Range: `0-${Math.max(0, session.bytes - 1)}`,
    'Docker-Upload-UUID': session.id,
  };
}

import { type Answer, type AnswerHeaders, empty, failure, json } from '../answers.ts';
import type { Refusal } from './profile.ts';

/** The answer that a refusal is. `values` fill the `{names}` in its message. */
export function refuse(
  refusal: Refusal,
  values: Readonly<Record<string, string | number>> = {},
  extra: AnswerHeaders = {},
): Answer {
  const { status, code } = refusal;
  const message = refusal.message.replaceAll(/\{(\w+)\}/g, (all, name: string) =>
    String(values[name] ?? all),
  );
  const headers: AnswerHeaders = { ...refusal.headers, ...extra };
  switch (refusal.form ?? 'json') {
    case 'bare':
      return empty(status, headers);
    case 'text':
      return text(status, message, 'text/plain; charset=utf-8', headers);
    case 'html':
      return text(status, page(status, message), 'text/html', headers);
    case 'status':
      return json(status, { errors: [{ status, message }] }, headers);
    case 'json':
      if (code === undefined) return json(status, { errors: [{ message }] }, headers);
      return failure(status, code, message, {
        headers,
        ...(values.digest !== undefined && { detail: { digest: values.digest } }),
      });
  }
}

function text(status: number, content: string, type: string, headers: AnswerHeaders): Answer {
  const body = Buffer.from(content);
  return {
    status,
    body,
    headers: { ...headers, 'Content-Type': type, 'Content-Length': String(body.length) },
  };
}

function page(status: number, message: string): string {
  return `<html>\r\n<head><title>${status} ${message}</title></head>\r\n<body>${message}</body>\r\n</html>\r\n`;
}

/** What most registries say of what they do not do. */
export const UNSUPPORTED: Refusal = {
  status: 405,
  code: 'UNSUPPORTED',
  message: 'The operation is unsupported.',
};

export const NAME_UNKNOWN: Refusal = {
  status: 404,
  code: 'NAME_UNKNOWN',
  message: 'repository name not known to registry',
};

export const UPLOAD_UNKNOWN: Refusal = {
  status: 404,
  code: 'BLOB_UPLOAD_UNKNOWN',
  message: 'blob upload unknown to registry',
};

export const BLOB_UNKNOWN_IN_MANIFEST: Refusal = {
  status: 400,
  code: 'MANIFEST_BLOB_UNKNOWN',
  message: 'manifest blob unknown to registry',
};

export const MANIFEST_TOO_LARGE: Refusal = {
  status: 400,
  code: 'MANIFEST_INVALID',
  message: 'manifest invalid: it is longer than 4194304 bytes',
};

export const TOO_MANY_REQUESTS: Refusal = { status: 429, code: 'TOOMANYREQUESTS', message: 'Rate exceeded' };

import { type ErrorCode, type ErrorDetails, KlosetError } from '../errors.ts';
import { QUOTA_REMEDY } from '../flow/attempts.ts';
import { retryAfterMs } from '../flow/retryAfter.ts';
import { readExcerpt } from './body.ts';
import { tlsMismatch, wantsCertificate } from './connectionErrors.ts';
import type { RegistryAnswer, RegistryRequest } from './transport.ts';

/** What an error body of a registry says. */
interface RegistryComplaint {
  readonly code?: string;
  readonly message: string;
}

// Registries' own codes win over the status: the same 404 can mean a blob, a manifest, a session or a repository.
const BY_REGISTRY_CODE: Record<string, ErrorCode> = {
  BLOB_UNKNOWN: 'BLOB_MISSING',
  BLOB_UPLOAD_UNKNOWN: 'UPLOAD_SESSION_LOST',
  DIGEST_INVALID: 'BLOB_CORRUPT',
  MANIFEST_BLOB_UNKNOWN: 'BLOB_MISSING',
  MANIFEST_UNKNOWN: 'OBJECT_MISSING',
  NAME_UNKNOWN: 'REPOSITORY_UNKNOWN',
  TOOMANYREQUESTS: 'RATE_LIMITED',
  TOO_MANY_REQUEST: 'RATE_LIMITED',
};

const BY_STATUS: Record<number, ErrorCode> = {
  401: 'AUTH_REQUIRED',
  403: 'ACCESS_DENIED',
  404: 'OBJECT_MISSING',
  413: 'BODY_TOO_LARGE',
  416: 'RANGE_INVALID',
  429: 'RATE_LIMITED',
};

const REMEDIES: Partial<Record<ErrorCode, string>> = {
  AUTH_REQUIRED: 'This registry needs credentials.',
  ACCESS_DENIED: 'Check the rights of the account, and the storage quota of the repository.',
  QUOTA_EXCEEDED: QUOTA_REMEDY,
  RATE_LIMITED: 'Try again later, or with a lower --concurrency.',
  REPOSITORY_UNKNOWN: 'Check the name; some registries want the repository to be created first.',
  BODY_TOO_LARGE: 'Try --upload-mode chunked with a smaller --chunk-size, or raise the limit of the proxy.',
  REGISTRY_FOREIGN: 'Check host, port and path of the location.',
};

/**
 * The error behind an answer that is none of those wanted. Reads the body, of at most 4 KiB: error bodies may be in
 * any format, and some are web pages.
 */
export async function answerError(
  answer: RegistryAnswer,
  request: RegistryRequest,
  details: ErrorDetails = {},
): Promise<KlosetError> {
  const excerpt = await readExcerpt(answer);
  if (isTlsComplaint(answer.status, excerpt)) return tlsMismatch(request);
  if (isCertificateComplaint(answer.status, excerpt)) return wantsCertificate(request.url.host);
  const complaint = parseComplaint(excerpt);
  const code = codeOf(answer, complaint, excerpt);
  const said = complaint.message ? `: ${complaint.message}` : '';
  const label = complaint.code ? ` ${complaint.code}` : '';
  const waitMs = retryAfterMs(answer.headers['retry-after'], excerpt);
  return new KlosetError(
    code,
    `${request.method} (${request.kind}) was answered ${answer.status}${label}${said}`,
    {
      registry: request.url.host,
      status: answer.status,
      ...(complaint.code !== undefined && { registryCode: complaint.code }),
      ...(waitMs !== undefined && { retryAfterMs: waitMs }),
      ...(REMEDIES[code] !== undefined && { remedy: REMEDIES[code] }),
      ...details,
    },
  );
}

function codeOf(answer: RegistryAnswer, complaint: RegistryComplaint, excerpt: string): ErrorCode {
  const { status } = answer;
  if (saysQuota(status, excerpt)) return 'QUOTA_EXCEEDED';
  if (status === 429 || saysRateLimit(status, excerpt)) return 'RATE_LIMITED';
  if (status >= 500) return 'REGISTRY_FAILED';
  const known = BY_REGISTRY_CODE[complaint.code ?? ''];
  if (known) return known;
  if (status === 404 && isHtml(answer, excerpt)) return 'REGISTRY_FOREIGN';
  return BY_STATUS[status] ?? 'REGISTRY_FAILED';
}

/** True for a refusal that is a rate limit without the status of one: GHCR says "secondary rate limit" with a 403. */
export function saysRateLimit(status: number, excerpt: string): boolean {
  return status === 403 && /rate limit/i.test(excerpt);
}

/**
 * True for a refusal that waiting does not mend. Harbor (403, in older versions 412), Quay (403) and zot (429 for
 * `maxRepos`) have no code of their own for it, only words. Google calls its requests per minute a quota, too.
 */
function saysQuota(status: number, excerpt: string): boolean {
  if (status !== 403 && status !== 412 && status !== 429) return false;
  if (/rate.?limit|\bper[ -](?:second|minute|hour|day)\b|requests per/i.test(excerpt)) return false;
  return /quota|exceed the configured (?:upper )?limit|max(?:imum)?[ -]?(?:number of )?repos/i.test(excerpt);
}

/** True when a body is a web page. */
export function isHtml(answer: RegistryAnswer, excerpt: string): boolean {
  return /text\/html/i.test(answer.headers['content-type'] ?? '') || /^\s*<(!doctype|html)/i.test(excerpt);
}

// Go's net/http and nginx both answer plain HTTP on a TLS port, in these words.
function isTlsComplaint(status: number, excerpt: string): boolean {
  return status === 400 && /HTTP request (?:was sent )?to (?:an )?HTTPS (?:server|port)/i.test(excerpt);
}

// nginx finishes the handshake without a certificate, and then answers in these words.
function isCertificateComplaint(status: number, excerpt: string): boolean {
  return status === 400 && /No required SSL certificate was sent/i.test(excerpt);
}

function parseComplaint(excerpt: string): RegistryComplaint {
  try {
    const parsed: unknown = JSON.parse(excerpt);
    const errors = (parsed as { errors?: unknown }).errors;
    const first = (Array.isArray(errors) ? errors[0] : errors) as {
      code?: unknown;
      message?: unknown;
      detail?: unknown;
    };
    if (typeof first === 'object' && first !== null) {
      const message = typeof first.message === 'string' ? first.message : '';
      return { ...(typeof first.code === 'string' && { code: first.code }), message: oneLine(message) };
    }
  } catch {
    // Not JSON, or cut at the limit.
  }
  return { message: /^\s*</.test(excerpt) ? '' : oneLine(excerpt) };
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a registry must not be able to drive the terminal.
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
  return clean.length > 300 ? `${clean.slice(0, 300)}…` : clean;
}

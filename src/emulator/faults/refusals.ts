import type { Kind } from './kinds.ts';

/** A refusal as a registry words it. */
export interface Refusal {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

interface Wanted {
  readonly status: number;
  readonly kind: Kind;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}

const CODES: Readonly<Record<number, string>> = {
  400: 'UNSUPPORTED',
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  405: 'UNSUPPORTED',
  413: 'SIZE_INVALID',
  416: 'BLOB_UPLOAD_INVALID',
  429: 'TOOMANYREQUESTS',
};

/**
 * How registries word their refusals. The 429s are from: Amazon ECR's user guide, Docker Hub's "usage and limits",
 * GHCR as quoted in crust-gather#461, Azure/acr#754 (MCR), Quay's and nginx's own pages, Harbor's lib/errors/const.go,
 * pulp_container#1396, zot's 429 of plain text.
 */
const WORDINGS = {
  oci: (wanted) => asJson(wanted, wanted.code ?? codeOf(wanted), wanted.message ?? 'refused by a fault'),
  ecr: (wanted) => asJson(wanted, wanted.code ?? codeOf(wanted), wanted.message ?? 'Rate exceeded'),
  dockerhub: (wanted) => ({
    ...asJson(
      wanted,
      wanted.code ?? codeOf(wanted),
      wanted.message ??
        'You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit',
    ),
    headers: {
      'Content-Type': 'application/json',
      'ratelimit-limit': '100;w=21600',
      'ratelimit-remaining': '0;w=21600',
      'docker-ratelimit-source': '127.0.0.1',
    },
  }),
  'dockerhub-abuse': ({ status }) => asText(status, `${status} Too Many Requests`),
  ghcr: (wanted) =>
    asJson(
      wanted,
      wanted.code ?? codeOf(wanted),
      wanted.message ?? 'retry-after: 880.092µs, allowed: 44000/minute',
    ),
  'ghcr-secondary': (wanted) =>
    asJson(
      wanted,
      wanted.code ?? 'DENIED',
      'You have exceeded a secondary rate limit. Please wait a few minutes.',
    ),
  acr: (wanted) => ({
    ...asJson(wanted, wanted.code ?? codeOf(wanted), wanted.message ?? 'too many requests'),
    headers: { 'Content-Type': 'application/json', 'X-Ms-Ratelimit-Remaining-Calls-Per-Second': '0' },
  }),
  mcr: ({ status }) => asText(status, 'Ref A: 8C5E6A0D Ref B: LON04 Ref C: 2024-06-01T10:00:00Z'),
  quay: (wanted) => asHtml(wanted.status),
  harbor: (wanted) =>
    asJson(
      wanted,
      wanted.code ?? (wanted.status === 429 ? 'TOO_MANY_REQUEST' : codeOf(wanted)),
      wanted.message ?? 'too many request',
    ),
  zot: ({ status, message }) => asText(status, message ?? 'Too Many Requests'),
  pulp: ({ status }) =>
    asJson({ status }, 'unsupported', 'Request was throttled. Expected available in 1 second.'),
  artifactory: ({ status }) => ({
    status,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ errors: [{ status }] }),
  }),
  nginx: ({ status }) => asHtml(status),
  empty: ({ status }) => ({ status, headers: {}, body: '' }),
} as const satisfies Record<string, (wanted: Wanted) => Refusal>;

export type Wording = keyof typeof WORDINGS;

export const WORDING_NAMES = Object.keys(WORDINGS) as readonly Wording[];

/** A refusal in the words of a registry. */
export function refusal(wording: Wording, wanted: Wanted): Refusal {
  return WORDINGS[wording](wanted);
}

/**
 * The value of `Retry-After` that a parameter means: seconds and any other text as they are, `date+3s` and `date-60s` as
 * an HTTP date beside now, `absent` as no header.
 */
export function retryAfter(text: string, nowMs: number): Record<string, string> {
  if (text === 'absent') return {};
  const date = /^date([+-]\d{1,7})s$/.exec(text);
  const value = date ? new Date(nowMs + Number(date[1]) * 1000).toUTCString() : text;
  return { 'Retry-After': value };
}

function codeOf({ status, kind }: Wanted): string {
  const known = CODES[status];
  if (known !== undefined) return known;
  if (status !== 404) return 'UNKNOWN';
  if (kind.startsWith('upload-')) return kind === 'upload-start' ? 'NAME_UNKNOWN' : 'BLOB_UPLOAD_UNKNOWN';
  if (kind.startsWith('blob-')) return 'BLOB_UNKNOWN';
  return kind.startsWith('manifest-') ? 'MANIFEST_UNKNOWN' : 'NAME_UNKNOWN';
}

function asJson({ status }: { status: number }, code: string, message: string): Refusal {
  const body = JSON.stringify({ errors: [{ code, message }] });
  return { status, headers: { 'Content-Type': 'application/json' }, body };
}

function asText(status: number, body: string): Refusal {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}

function asHtml(status: number): Refusal {
  const body = `<html>\r\n<head><title>${status}</title></head>\r\n<body>\r\n<center><h1>${status}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
  return { status, headers: { 'Content-Type': 'text/html' }, body };
}

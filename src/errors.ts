/**
 * The one error class of kloset-oci and the table of its stable codes.
 *
 * `docs/errors.md` lists the same table; a test compares the two. A code never changes its meaning: scripts match
 * on it. The exit status is what the command line ends with when the error reaches it.
 */

/** What each code means in general, and the exit status it leads to. */
export const ERROR_CODES = {
  USAGE: { exit: 2, meaning: 'A command, option or argument is wrong.' },
  LOCATION_INVALID: { exit: 2, meaning: 'A store location cannot be parsed or names no repository.' },
  OBJECT_NAME_INVALID: {
    exit: 2,
    meaning: 'An object name is not a 32-byte MAC in hex, or its type is unknown.',
  },
  SOURCE_MISSING: { exit: 1, meaning: 'A file or folder to push does not exist or holds nothing to push.' },
  SOURCE_UNREADABLE: { exit: 1, meaning: 'A file to push cannot be read.' },
  SOURCE_CHANGED: {
    exit: 1,
    meaning: 'A file changed or shrank while it was read; nothing of it was stored.',
  },
  REGISTRY_UNREACHABLE: { exit: 1, meaning: 'No connection to the registry could be made.' },
  REGISTRY_FOREIGN: { exit: 1, meaning: 'The host answers, but not as an OCI registry.' },
  REGISTRY_UNSUITABLE: {
    exit: 1,
    meaning: 'The examination of a registry found that a store cannot work there.',
  },
  REGISTRY_FAILED: { exit: 1, meaning: 'The registry answered with an unexpected status or a server error.' },
  TLS_MISMATCH: { exit: 1, meaning: 'TLS was spoken to a plain HTTP port, or plain HTTP to a TLS port.' },
  TLS_UNTRUSTED: { exit: 1, meaning: 'The certificate of the registry is not trusted.' },
  TLS_REFUSED: {
    exit: 1,
    meaning: 'The registry refused TLS: it wants a client certificate, or another version of TLS.',
  },
  PROXY_FAILED: {
    exit: 1,
    meaning: 'The proxy that the environment names cannot be reached, or refuses the connection.',
  },
  CONNECTION_LOST: { exit: 1, meaning: 'The connection broke in the middle of an exchange.' },
  STALLED: { exit: 1, meaning: 'No byte moved for the length of the progress watchdog.' },
  AUTH_REQUIRED: { exit: 1, meaning: 'The registry asks for credentials (401).' },
  ACCESS_DENIED: {
    exit: 1,
    meaning: 'The registry refuses the operation (403), for lack of rights, or of quota without saying so.',
  },
  QUOTA_EXCEEDED: {
    exit: 1,
    meaning: 'The quota of the account, project or registry is used up; waiting does not help.',
  },
  CREDENTIALS_UNUSABLE: {
    exit: 1,
    meaning: 'A file of credentials or a credential helper program cannot be used.',
  },
  TOKEN_SERVICE_FAILED: {
    exit: 1,
    meaning: "The registry's token service cannot be reached, or its answers cannot be used.",
  },
  RATE_LIMITED: { exit: 1, meaning: 'The registry kept answering "too many requests" (429).' },
  REPOSITORY_UNKNOWN: {
    exit: 1,
    meaning: 'The registry does not know the repository, or it has to be created first.',
  },
  UPLOAD_REFUSED: { exit: 1, meaning: 'The registry refused the upload in every form that was tried.' },
  UPLOAD_SESSION_LOST: { exit: 1, meaning: 'The registry forgot the upload session, repeatedly.' },
  BODY_TOO_LARGE: {
    exit: 1,
    meaning: 'The registry, or a proxy before it, refuses bodies of this size (413).',
  },
  BLOB_MISSING: { exit: 1, meaning: 'A manifest names a blob that the registry does not have.' },
  BLOB_CORRUPT: { exit: 1, meaning: 'Bytes do not match their digest.' },
  SIZE_MISMATCH: { exit: 1, meaning: 'An object is longer or shorter than its manifest says.' },
  RANGE_INVALID: {
    exit: 1,
    meaning: 'A byte range lies outside the object, or the registry answered another range.',
  },
  MANIFEST_INVALID: { exit: 1, meaning: 'A manifest cannot be parsed or breaks the format.' },
  MANIFEST_FOREIGN: {
    exit: 1,
    meaning: 'A manifest under one of our tags was not written as a Kloset object.',
  },
  OBJECT_MISSING: { exit: 1, meaning: 'The store has no such object.' },
  STORE_EXISTS: { exit: 1, meaning: 'A store is there already; create changed nothing.' },
  STORE_MISSING: { exit: 1, meaning: 'The location holds no store (no CONFIG).' },
  REPOSITORY_SHARED: {
    exit: 1,
    meaning: 'The repository holds tags that are not of a store, such as images.',
  },
  STORE_DAMAGED: { exit: 1, meaning: 'Verification found objects that are missing or damaged.' },
  DELETE_UNSUPPORTED: { exit: 1, meaning: 'The registry does not allow the deletion.' },
  TRACE_INVALID: { exit: 2, meaning: 'A trace of reads cannot be parsed.' },
  FILE_WRITE_FAILED: { exit: 1, meaning: 'A file could not be written.' },
  DISK_FULL: { exit: 1, meaning: 'The file system has no room left; nothing half-written stays visible.' },
  REQUEST_INVALID: { exit: 1, meaning: 'Plakar sent the plugin a call that breaks the storage protocol.' },
  REQUEST_UNSUPPORTED: { exit: 1, meaning: 'Plakar sent the plugin a call that it does not know.' },
  MESSAGE_TOO_LARGE: {
    exit: 1,
    meaning: "A message of Plakar's protocol would be longer than it allows.",
  },
  WORKER_FAILED: { exit: 1, meaning: 'A hash worker failed again after it was replaced.' },
  CANCELLED: { exit: 130, meaning: 'The operation was interrupted.' },
  INTERNAL: { exit: 1, meaning: 'A defect in kloset-oci; please report it.' },
} as const satisfies Record<string, { exit: number; meaning: string }>;

/** A stable error code: a key of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What an error is about. Every field is optional and none may hold a secret. */
export interface ErrorDetails {
  /** The object, file, tag or digest that the error is about. */
  object?: string;
  /** The registry and repository, as `host:port/name`. */
  registry?: string;
  /** What was tried, in words, for example `4 attempts over 12 s`. */
  tried?: string;
  /** What the user can do about it, as a full sentence. */
  remedy?: string;
  /** The HTTP status behind the error. */
  status?: number;
  /** The registry's own error code, for example `DIGEST_INVALID`. */
  registryCode?: string;
  /** How long the registry asks to wait before a next attempt, in milliseconds. */
  retryAfterMs?: number;
  cause?: unknown;
}

const BRAND = Symbol.for('kloset-oci.error');

/**
 * The error that kloset-oci throws, everywhere. `message` is complete on its own: what happened, to which object
 * and registry, what was tried and what to do, with the code in front, since most callers show nothing else.
 */
export class KlosetError extends Error {
  override readonly name = 'KlosetError';
  readonly code: ErrorCode;
  readonly details: Readonly<ErrorDetails>;
  /** What happened, without code, place and remedy. */
  readonly summary: string;

  constructor(code: ErrorCode, summary: string, details: ErrorDetails = {}) {
    super(
      sentence(code, summary, details),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.summary = summary;
    this.details = details;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** The exit status of a program that ends with this error. */
  get exitCode(): number {
    return ERROR_CODES[this.code].exit;
  }

  /** The same error with further details, where an outer layer knows more (the object, the registry). */
  with(details: ErrorDetails): KlosetError {
    return new KlosetError(this.code, this.summary, { ...details, ...this.details, cause: this.cause });
  }
}

/** True for errors of this class, also of another copy of the package in the same process. */
export function isKlosetError(error: unknown, code?: ErrorCode): error is KlosetError {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false;
  return code === undefined || (error as unknown as KlosetError).code === code;
}

/** Turns anything thrown into a KlosetError; what is none already becomes INTERNAL, or CANCELLED for an abort. */
export function asKlosetError(error: unknown): KlosetError {
  if (isKlosetError(error)) return error;
  if (error instanceof Error && error.name === 'AbortError') return cancelled(error);
  const text = error instanceof Error ? error.message : String(error);
  return new KlosetError('INTERNAL', text, { cause: error });
}

/** The error of an operation that its caller interrupted. */
export function cancelled(cause?: unknown): KlosetError {
  if (isKlosetError(cause)) return cause;
  return new KlosetError('CANCELLED', 'interrupted', cause === undefined ? {} : { cause });
}

/** Throws the signal's reason as a KlosetError when the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal.reason);
}

function sentence(code: ErrorCode, summary: string, details: ErrorDetails): string {
  const place = [details.object, details.registry && `on ${details.registry}`].filter(Boolean).join(' ');
  const parts = [`${place ? `${place}: ` : ''}${summary}`];
  if (details.tried) parts.push(`tried: ${details.tried}`);
  const text = parts.join('; ').replace(/\.$/, '');
  return `[${code}] ${text}${details.remedy ? `. ${details.remedy}` : '.'}`;
}

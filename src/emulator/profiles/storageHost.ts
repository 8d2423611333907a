import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Answer } from '../answers.ts';
import { serveBlob } from '../blobs.ts';
import type { Storage } from '../storage.ts';

/** One request to the storage host. */
export interface StorageRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Names of the request's headers, in lower case: what a client must not bring along shows here. */
  readonly headers: readonly string[];
}

const LOG_CAPACITY = 10_000;

/**
 * The object storage behind a registry: another origin, with URLs that are signed, run out, and do not go together
 * with an `Authorization`. It answers as S3 does.
 */
export class StorageHost {
  readonly #storage: Storage;
  readonly #sizes: (digest: string) => number | undefined;
  readonly #lifeMs: number;
  readonly #now: () => number;
  readonly #secret = randomBytes(32);
  readonly #log: StorageRequest[] = [];

  constructor(
    storage: Storage,
    sizes: (digest: string) => number | undefined,
    options: { lifeMs: number; now: () => number },
  ) {
    this.#storage = storage;
    this.#sizes = sizes;
    this.#lifeMs = options.lifeMs;
    this.#now = options.now;
  }

  /** Path and query of a blob, good for the life of a signature. */
  sign(digest: string): string {
    const expires = this.#now() + this.#lifeMs;
    return `/blobs/${digest}?X-Amz-Expires=${expires}&X-Amz-Signature=${this.#signature(digest, expires)}`;
  }

  /** The latest requests, oldest first. */
  requests(): readonly StorageRequest[] {
    return this.#log;
  }

  async answer(request: IncomingMessage): Promise<Answer> {
    const answer = await this.#judge(request);
    if (this.#log.length >= LOG_CAPACITY) this.#log.shift();
    const [path = ''] = (request.url ?? '').split('?');
    const headers = Object.keys(request.headers);
    this.#log.push({ method: request.method ?? '', path, status: answer.status, headers });
    return answer;
  }

  async #judge(request: IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? '/', 'http://storage');
    const digest = /^\/blobs\/(.+)$/.exec(url.pathname)?.[1] ?? '';
    if (request.headers.authorization !== undefined) {
      return complain(400, 'InvalidArgument', 'Only one auth mechanism allowed');
    }
    const expires = Number(url.searchParams.get('X-Amz-Expires'));
    if (url.searchParams.get('X-Amz-Signature') !== this.#signature(digest, expires)) {
      return complain(403, 'SignatureDoesNotMatch', 'The request signature does not match');
    }
    // Each URL is signed for one method; registries sign for GET.
    if (request.method !== 'GET') return complain(403, 'SignatureDoesNotMatch', 'The URL is signed for GET');
    if (this.#now() > expires) return complain(403, 'AccessDenied', 'Request has expired');
    const size = this.#sizes(digest);
    if (size === undefined) return complain(404, 'NoSuchKey', 'The specified key does not exist.');
    const answer = await serveBlob(
      this.#storage,
      { method: 'GET', headers: request.headers },
      digest,
      size,
      true,
    );
    delete answer.headers['Docker-Content-Digest'];
    return answer;
  }

  #signature(digest: string, expires: number): string {
    return createHmac('sha256', this.#secret).update(`${digest} ${expires}`).digest('hex');
  }
}

/** The origin of the storage host as a client of the registry reaches it. */
export function storageOrigin(hostHeader: string | undefined, port: number, secure: boolean): string {
  const url = new URL(`${secure ? 'https' : 'http'}://${hostHeader ?? 'localhost'}`);
  url.port = String(port);
  return url.origin;
}

function complain(status: number, code: string, message: string): Answer {
  const body = Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  );
  return {
    status,
    body,
    headers: { 'Content-Type': 'application/xml', 'Content-Length': String(body.length) },
  };
}

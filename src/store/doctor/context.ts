import { randomBytes } from 'node:crypto';
import type { HostMemory } from '../../engine/hostMemory.ts';
import { type KlosetError, throwIfAborted } from '../../errors.ts';
import { answerError } from '../../registry/answerErrors.ts';
import { readExcerpt } from '../../registry/body.ts';
import { type Exchange, repositoryUrl } from '../../registry/exchange.ts';
import type { RegistryRequest, RequestBody } from '../../registry/transport.ts';
import { DOCTOR_TAG_PREFIX } from '../objectNames.ts';
import type { Need } from './finding.ts';
import { Trash } from './trash.ts';

/** An answer, whatever its status. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The first bytes of the body of a success. */
  readonly text: string;
  /** For a status from 400 on. */
  readonly error: KlosetError | undefined;
  readonly tookMs: number;
}

/** A blob that the doctor has stored. */
export interface OwnBlob {
  readonly digest: string;
  readonly content: Uint8Array;
}

const MAX_TEXT = 256 * 1024;
const THROTTLED_TRIES = 3;
const MAX_WAIT_MS = 15_000;

/** What the probes of one examination share: the way to the registry, and what earlier ones have found. */
export class DoctorContext {
  readonly exchange: Exchange;
  readonly host: HostMemory;
  readonly signal: AbortSignal | undefined;
  readonly trash = new Trash();
  /** All tags of an examination begin with it. */
  readonly tagBase = `${DOCTOR_TAG_PREFIX}${randomBytes(6).toString('hex')}`;
  /** What has worked so far. */
  readonly has = new Set<Need>();
  /** The answer to `GET /v2/`, and when it came, in milliseconds since 1970. */
  ping: { readonly reply: Reply; readonly atMs: number } | undefined;
  /** A stored blob that manifests name. */
  blob: OwnBlob | undefined;
  /** A stored blob for speed and ranges. */
  largeBlob: OwnBlob | undefined;
  #bytesLeft: number;

  constructor(exchange: Exchange, host: HostMemory, maxBytes: number, signal?: AbortSignal) {
    this.exchange = exchange;
    this.host = host;
    this.signal = signal;
    this.#bytesLeft = maxBytes;
  }

  get bytesLeft(): number {
    return this.#bytesLeft;
  }

  /** Takes bytes of the bound that the user has set. False where they are not left. */
  spend(bytes: number): boolean {
    if (bytes > this.#bytesLeft) return false;
    this.#bytesLeft -= bytes;
    return true;
  }

  url(path: string): URL {
    return repositoryUrl(this.exchange, path);
  }

  /** One request without judgement on its status; a registry that asks to wait is waited for. */
  async ask(
    request: Omit<RegistryRequest, 'signal' | 'body'> & { readonly body?: RequestBody },
  ): Promise<Reply> {
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(this.signal);
      const full: RegistryRequest = { ...request, signal: this.signal };
      const startedMs = performance.now();
      const answer = await this.exchange.transport(full);
      const { status, headers } = answer;
      const error = status >= 400 ? await answerError(answer, full) : undefined;
      const text = error ? '' : await readExcerpt(answer, MAX_TEXT);
      if (error?.code === 'RATE_LIMITED' && attempt < THROTTLED_TRIES) {
        const waitMs = Math.min(Math.max(error.details.retryAfterMs ?? 0, 1000 * attempt), MAX_WAIT_MS);
        await this.exchange.clock.sleep(waitMs, this.signal);
        continue;
      }
      return { status, headers, text, error, tookMs: performance.now() - startedMs };
    }
  }
}

/** `405 UNSUPPORTED`, for a detail. */
export function said(answer: Pick<Reply, 'status' | 'error'> | KlosetError): string {
  const error = 'details' in answer ? answer : answer.error;
  const status = error?.details.status ?? ('status' in answer ? answer.status : undefined);
  if (status === undefined) return error?.summary ?? 'no answer';
  const code = error?.details.registryCode;
  return code === undefined ? String(status) : `${status} ${code}`;
}

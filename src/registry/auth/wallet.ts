import type { Clock } from '../../flow/clock.ts';
import type { CredentialSource, Credentials, CredentialTarget } from './credentials.ts';
import { SharedWork } from './sharedWork.ts';

/** How often credentials are looked up again after a refusal, at most, in milliseconds. */
const RENEWAL_PAUSE_MS = 60_000;

/** The credentials for one registry, looked up once and again when they are refused. */
export class Wallet {
  readonly #source: CredentialSource;
  readonly #target: CredentialTarget;
  readonly #clock: Clock;
  readonly #lookingUp = new SharedWork<Credentials | undefined>();
  #found: { readonly value: Credentials | undefined } | undefined;
  #renewedMs = Number.NEGATIVE_INFINITY;

  constructor(source: CredentialSource, target: CredentialTarget, clock: Clock) {
    this.#source = source;
    this.#target = target;
    this.#clock = clock;
  }

  /** What was found last, without looking. */
  get current(): Credentials | undefined {
    return this.#found?.value;
  }

  async lookUp(signal: AbortSignal | undefined): Promise<Credentials | undefined> {
    if (!this.#found) {
      const value = await this.#search(signal);
      this.#found ??= { value };
    }
    return this.#found.value;
  }

  /**
   * Looks again after a refusal: what a helper gave may have ended, as the passwords of ECR do after 12 hours and those
   * of Google after one.
   *
   * @returns whether there are others now than those that were refused
   */
  async renew(refused: Credentials, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.current && this.current !== refused) return true;
    const now = this.#clock.now();
    if (now - this.#renewedMs < RENEWAL_PAUSE_MS) return false;
    this.#renewedMs = now;
    const value = await this.#search(signal);
    if (value === undefined || secretOf(value) === secretOf(refused)) return false;
    this.#found = { value };
    return true;
  }

  #search(signal: AbortSignal | undefined): Promise<Credentials | undefined> {
    return this.#lookingUp.run('', (stop) => this.#source(this.#target, stop), signal);
  }
}

function secretOf(credentials: Credentials): string {
  return credentials.kind === 'password'
    ? `${credentials.username}:${credentials.password}`
    : credentials.token;
}

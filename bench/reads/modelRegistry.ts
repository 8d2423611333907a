/** A registry that exists as a formula: what a request takes on a link of a given kind. */
import type { Clock } from '../../src/flow/clock.ts';
import type { ObjectContent } from '../../src/store/objectStore.ts';

const MIB = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** What TCP sends before the first acknowledgement: ten segments (RFC 6928). */
const INITIAL_WINDOW_BYTES = 14_600;

export interface Link {
  readonly name: string;
  readonly roundTripMs: number;
  /** What the registry takes before it answers. */
  readonly requestMs: number;
  /** The most that one connection carries, and all of them together. */
  readonly connectionMiBps: number;
  readonly totalMiBps: number;
  readonly connections: number;
  /** A connection starts slowly, and again after a second without use. Not so behind a proxy that only delays. */
  readonly slowStart: boolean;
}

interface Connection {
  windowBytes: number;
  idleSinceMs: number;
}

export class ModelRegistry {
  readonly #clock: Clock;
  readonly #link: Link;
  readonly #idle: Connection[] = [];
  readonly #waiting: ((connection: Connection) => void)[] = [];
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #opened = 0;
  /** When the shared part of the link has sent what was handed to it. */
  #linkFreeMs = 0;
  manifestRequests = 0;
  blobRequests = 0;
  blobBytes = 0;

  constructor(clock: Clock, link: Link) {
    this.#clock = clock;
    this.#link = link;
  }

  async manifest(): Promise<void> {
    this.manifestRequests++;
    const connection = await this.#connect();
    await this.#clock.sleep(this.#link.roundTripMs + this.#link.requestMs);
    this.#release(connection);
  }

  async blob(length: number, signal: AbortSignal): Promise<ObjectContent> {
    this.blobRequests++;
    const connection = await this.#connect();
    try {
      await this.#clock.sleep(this.#link.roundTripMs + this.#link.requestMs, signal);
    } catch (error) {
      this.#release(connection);
      throw error;
    }
    return { bytes: length, stream: this.#body(length, connection, signal) };
  }

  async *#body(length: number, connection: Connection, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { connectionMiBps, totalMiBps, roundTripMs } = this.#link;
    try {
      let sentMs = this.#clock.now();
      for (let at = 0; at < length; at += CHUNK_BYTES) {
        const bytes = Math.min(CHUNK_BYTES, length - at);
        const windowRate = roundTripMs > 0 ? connection.windowBytes / roundTripMs : Number.POSITIVE_INFINITY;
        sentMs += bytes / Math.min((connectionMiBps * MIB) / 1000, windowRate);
        this.#linkFreeMs = Math.max(sentMs, this.#linkFreeMs + (bytes / (totalMiBps * MIB)) * 1000);
        sentMs = Math.max(sentMs, this.#linkFreeMs);
        await this.#clock.sleep(Math.max(0, sentMs - this.#clock.now()), signal);
        connection.windowBytes += bytes;
        this.blobBytes += bytes;
        yield this.#chunk.subarray(0, bytes);
      }
    } finally {
      this.#release(connection);
    }
  }

  async #connect(): Promise<Connection> {
    const { slowStart, connections, roundTripMs } = this.#link;
    const fresh = () => (slowStart ? INITIAL_WINDOW_BYTES : Number.POSITIVE_INFINITY);
    const idle = this.#idle.pop();
    if (idle) {
      if (slowStart && this.#clock.now() - idle.idleSinceMs > 1000) idle.windowBytes = fresh();
      return idle;
    }
    if (this.#opened < connections) {
      this.#opened++;
      // The handshake.
      await this.#clock.sleep(roundTripMs);
      return { windowBytes: fresh(), idleSinceMs: 0 };
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(connection: Connection): void {
    connection.idleSinceMs = this.#clock.now();
    const next = this.#waiting.shift();
    if (next) next(connection);
    else this.#idle.push(connection);
  }
}

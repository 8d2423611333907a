import { cancelled } from '../errors.ts';

interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

/**
 * A counting semaphore in bytes, first come first served: a large request is never starved by small ones behind it.
 * Memory is taken from the budget before bytes are read, since a reader that waits holds nothing, while a full
 * buffer that waits for its turn is what makes memory grow.
 */
export class ByteBudget {
  readonly capacityBytes: number;
  #usedBytes = 0;
  #peakBytes = 0;
  readonly #waiters: Waiter[] = [];

  constructor(capacityBytes: number) {
    if (!(capacityBytes > 0)) throw new RangeError(`expected a positive capacity, got ${capacityBytes}`);
    this.capacityBytes = capacityBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The most that was ever in use. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Takes bytes at once, or nothing when they are not free or others wait. */
  tryAcquire(bytes: number): boolean {
    if (this.#waiters.length > 0 || !this.#fits(bytes)) return false;
    this.#take(bytes);
    return true;
  }

  /**
   * Resolves when the bytes are taken. A request above the whole capacity would wait for ever and is refused.
   *
   * @throws RangeError, KlosetError CANCELLED
   */
  async acquire(bytes: number, signal?: AbortSignal): Promise<void> {
    if (bytes > this.capacityBytes) {
      throw new RangeError(`expected at most ${this.capacityBytes} bytes, got ${bytes}`);
    }
    if (signal?.aborted) throw cancelled(signal.reason);
    if (this.tryAcquire(bytes)) return;
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        const at = this.#waiters.indexOf(waiter);
        if (at >= 0) this.#waiters.splice(at, 1);
        reject(cancelled(signal?.reason));
        this.#grantNext();
      };
      const waiter: Waiter = {
        bytes,
        grant: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#waiters.push(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  release(bytes: number): void {
    if (bytes > this.#usedBytes)
      throw new RangeError(`expected at most ${this.#usedBytes} bytes, got ${bytes}`);
    this.#usedBytes -= bytes;
    this.#grantNext();
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.capacityBytes;
  }

  #take(bytes: number): void {
    this.#usedBytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#usedBytes);
  }

  #grantNext(): void {
    for (let next = this.#waiters[0]; next && this.#fits(next.bytes); next = this.#waiters[0]) {
      this.#waiters.shift();
      this.#take(next.bytes);
      next.grant();
    }
  }
}

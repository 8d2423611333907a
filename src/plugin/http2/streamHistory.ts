/** Streams that we reset and for which frames may still be on their way: more than two pipes can hold. */
const REMEMBERED_RESETS = 1024;

/** What an identifier without an open call stands for (RFC 9113 §5.1). */
export type ClosedState = 'idle' | 'reset' | 'closed';

/** What is known of the streams that are not open. */
export class StreamHistory {
  /** The highest identifier that the host has used. */
  lastStreamId = 0;
  readonly #resets = new Set<number>();

  /** True for an identifier that the host may open next: odd, and higher than all before. */
  mayOpen(streamId: number): boolean {
    return streamId % 2 === 1 && streamId > this.lastStreamId;
  }

  /** We told the host to stop: what it has sent before it heard of that is no fault. */
  rememberReset(streamId: number): void {
    this.#resets.add(streamId);
    if (this.#resets.size <= REMEMBERED_RESETS) return;
    const [oldest] = this.#resets;
    if (oldest !== undefined) this.#resets.delete(oldest);
  }

  stateOf(streamId: number): ClosedState {
    if (streamId > this.lastStreamId || streamId % 2 === 0) return 'idle';
    return this.#resets.has(streamId) ? 'reset' : 'closed';
  }
}

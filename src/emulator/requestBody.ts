import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { RequestChange } from './faults.ts';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());

/** Takes chunks; see UploadSink. */
export interface ChunkTarget {
  write(chunk: Buffer): boolean;
  drained(): Promise<void>;
}

/** `whole`: everything arrived. `cut`: the client or a fault ended it early. `stopped`: {@link RequestBody.stop}. */
export type BodyEnd = 'whole' | 'cut' | 'stopped';

/** What of a request its body needs; a body that is handled twice comes from memory the second time. */
export type BodySource = Readable & Pick<IncomingMessage, 'headers' | 'complete'>;

/** The body of one request, read at the pace of whoever takes it. */
export class RequestBody {
  /** Bytes handed on so far. */
  received = 0;
  /** True when a fault's byte count was reached: nothing may be read any more. */
  limited = false;
  readonly #request: BodySource;
  readonly #limit: number;
  readonly #change: RequestChange | undefined;
  #stop: (() => void) | undefined;

  constructor(request: BodySource, limit: number, change?: RequestChange) {
    this.#request = request;
    this.#limit = limit;
    this.#change = change;
  }

  /** The length the client declared, or undefined for a chunked body. */
  get declared(): number | undefined {
    const header = this.#request.headers['content-length'];
    if (header !== undefined) return Number(header);
    return this.#request.headers['transfer-encoding'] === undefined ? 0 : undefined;
  }

  /** Hands the body on; rejects when the target fails. */
  pump(target: ChunkTarget): Promise<BodyEnd> {
    const request = this.#request;
    return new Promise<BodyEnd>((resolve, reject) => {
      let over = false;
      const finish = (end: BodyEnd, error?: unknown): void => {
        if (over) return;
        over = true;
        this.#stop = undefined;
        request.off('data', onData).off('end', onEnd).off('close', onClose);
        if (end !== 'whole') request.pause();
        if (error === undefined) resolve(end);
        else reject(error);
      };
      const onData = (chunk: Buffer): void => {
        const room = this.#limit - this.received;
        let taken = chunk.length <= room ? chunk : chunk.subarray(0, room);
        if (this.#change?.change) taken = this.#change.change(taken, this.received);
        this.received += taken.length;
        const more = target.write(taken);
        if (this.received >= this.#limit) {
          this.limited = true;
          finish('cut');
          return;
        }
        const pace = this.#change?.bytesPerSecond;
        if (more && pace === undefined) return;
        request.pause();
        const waiting = [more ? undefined : target.drained(), pace && sleep((taken.length / pace) * 1000)];
        Promise.all(waiting).then(
          () => {
            if (!over) request.resume();
          },
          (error: unknown) => finish('cut', error),
        );
      };
      const onEnd = (): void => finish('whole');
      const onClose = (): void => finish('cut');
      this.#stop = () => finish('stopped');
      if (request.destroyed && !request.complete) return finish('cut');
      request.on('end', onEnd).on('close', onClose).on('data', onData);
    });
  }

  /** Ends a running pump; the rest of the body is not handed on. */
  stop(): void {
    this.#stop?.();
  }

  /** The whole body, or why there is none. Reads to the end in any case, so that the connection stays usable. */
  async collect(maximum: number): Promise<Buffer | 'too large' | 'cut'> {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = await this.pump({
      write: (chunk) => {
        length += chunk.length;
        if (length <= maximum) chunks.push(chunk);
        else chunks.length = 0;
        return true;
      },
      drained: async () => {},
    });
    if (end !== 'whole') return 'cut';
    return length > maximum ? 'too large' : Buffer.concat(chunks, length);
  }

  /** Reads and forgets the body. */
  drain(): Promise<BodyEnd> {
    return this.pump({ write: () => true, drained: async () => {} });
  }
}

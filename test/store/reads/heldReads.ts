/** Objects in memory whose requests a test lets go on, fails and counts. */
import { cancelled } from '../../../src/errors.ts';
import type { ReadObject } from '../../../src/store/reads/blockCache.ts';
import { seededBytes } from '../../support/seededBytes.ts';

export interface HeldRequest {
  readonly offset: number;
  readonly length: number;
  readonly whole: boolean;
  readonly aborted: boolean;
  /** Lets the request answer with its bytes, or with others. */
  answer(bytes?: Uint8Array): void;
  /** Hands over some bytes and keeps the rest. */
  send(bytes: number): void;
  fail(error: Error): void;
}

export interface HeldReads {
  readonly read: ReadObject;
  readonly content: Buffer;
  /** All requests so far. */
  readonly requests: readonly HeldRequest[];
  /** Called for each new request, for tests that decide on their own. */
  onRequest: ((request: HeldRequest) => void) | undefined;
}

/** @param claim the length that answers announce, by the length that was asked for */
export function heldReads(bytes: number, claim = (length: number) => length): HeldReads {
  const content = seededBytes(bytes, bytes);
  const requests: HeldRequest[] = [];
  const held: HeldReads = {
    content,
    requests,
    onRequest: undefined,
    read: async (_ref, range, signal) => {
      const offset = range?.offset ?? 0;
      const length = range?.length ?? bytes;
      const mine = content.subarray(offset, offset + length);
      const queue: Uint8Array[] = [];
      let over: Error | 'end' | undefined;
      let wake = () => {};
      let sent = 0;
      const push = (part: Uint8Array, end?: Error | 'end') => {
        if (part.length > 0) queue.push(part);
        sent += part.length;
        over ??= end;
        wake();
      };
      const request = {
        offset,
        length,
        whole: range === undefined,
        get aborted() {
          return signal.aborted;
        },
        answer: (other?: Uint8Array) => push(other ?? mine.subarray(sent), 'end'),
        send: (count: number) => push(mine.subarray(sent, sent + count)),
        fail: (error: Error) => push(new Uint8Array(0), error),
      };
      signal.addEventListener('abort', () => push(new Uint8Array(0), cancelled(signal.reason)));
      requests.push(request);
      held.onRequest?.(request);
      async function* stream() {
        for (;;) {
          const part = queue.shift();
          if (part) yield part;
          else if (over === 'end') return;
          else if (over) throw over;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      }
      return { bytes: claim(length), stream: stream() };
    },
  };
  return held;
}

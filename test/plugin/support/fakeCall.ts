/** A call without a connection, whose window is enforced: a host that sends beyond its credit is a failed test. */
import { cancelled } from '../../../src/errors.ts';
import {
  type Call,
  type CallReceiver,
  type GrpcStatus,
  INITIAL_WINDOW_BYTES,
} from '../../../src/plugin/transport.ts';

export interface FakeCall extends Call {
  /** Bytes that the host may send now. */
  readonly windowBytes: number;
  readonly written: Uint8Array[];
  readonly ended: Promise<{ status: GrpcStatus; message: string }>;
  readonly isEnded: boolean;
  /** The host sends bytes: as many as its window has room for. Returns what is left over. */
  send(bytes: Uint8Array): Uint8Array;
  /** The host has sent all. */
  close(): void;
  /** The host resets the call. */
  reset(): void;
  /** From now on writes have to wait until {@link drain}. */
  block(): void;
  drain(): void;
}

const READ_BYTES = 16 * 1024;

export function fakeCall(path: string): FakeCall {
  const controller = new AbortController();
  const ended = Promise.withResolvers<{ status: GrpcStatus; message: string }>();
  const written: Uint8Array[] = [];
  let isEnded = false;
  let windowBytes = INITIAL_WINDOW_BYTES;
  let receiver: CallReceiver | undefined;
  let room: PromiseWithResolvers<void> | undefined;
  const theReceiver = () => {
    if (!receiver) throw new Error('the handler named no receiver');
    return receiver;
  };
  return {
    path,
    headers: {},
    signal: controller.signal,
    receive: (given) => {
      receiver = given;
    },
    credit: (bytes) => {
      if (!Number.isSafeInteger(bytes) || bytes < 0) throw new Error(`credit of ${bytes} bytes`);
      windowBytes += bytes;
    },
    write: (parts) => {
      if (isEnded) throw new Error('a write after the end');
      if (controller.signal.aborted) return undefined;
      written.push(...parts);
      return room?.promise;
    },
    end: (status, message = '') => {
      if (isEnded || controller.signal.aborted) return;
      isEnded = true;
      ended.resolve({ status, message });
    },
    get windowBytes() {
      return windowBytes;
    },
    written,
    ended: ended.promise,
    get isEnded() {
      return isEnded;
    },
    send: (bytes) => {
      let at = 0;
      while (at < bytes.length && windowBytes > 0) {
        // One buffer for all reads, as a connection has it.
        const piece = Uint8Array.from(bytes.subarray(at, at + Math.min(READ_BYTES, windowBytes)));
        windowBytes -= piece.length;
        at += piece.length;
        theReceiver().data(piece);
        piece.fill(0xee);
      }
      return bytes.subarray(at);
    },
    close: () => theReceiver().end(),
    reset: () => {
      controller.abort(cancelled());
      room?.resolve();
    },
    block: () => {
      room = Promise.withResolvers();
    },
    drain: () => {
      room?.resolve();
      room = undefined;
    },
  };
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

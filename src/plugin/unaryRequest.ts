import { cancelled, KlosetError } from '../errors.ts';
import { GrpcFrames } from './grpcFrames.ts';
import { ProtoReader } from './protoReader.ts';
import type { RequestDecoder } from './storeRequests.ts';
import { type Call, INITIAL_WINDOW_BYTES } from './transport.ts';

/**
 * The one message of a call. To be called in the tick in which the call arrives.
 *
 * @throws KlosetError REQUEST_INVALID, REQUEST_UNSUPPORTED, MESSAGE_TOO_LARGE; CANCELLED when the host goes first
 */
export function receiveMessage<T>(call: Call, decoder: RequestDecoder<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(cancelled(call.signal.reason));
    const settle = (outcome: () => void) => {
      call.signal.removeEventListener('abort', onAbort);
      outcome();
    };
    call.signal.addEventListener('abort', onAbort, { once: true });
    const frames = new GrpcFrames(new ProtoReader(decoder));
    let windowBytes = INITIAL_WINDOW_BYTES;
    call.receive({
      data: (bytes) => {
        // Most requests fit into the first window many times; only a large one needs another.
        windowBytes -= bytes.length;
        if (windowBytes < INITIAL_WINDOW_BYTES / 2) {
          call.credit(INITIAL_WINDOW_BYTES - windowBytes);
          windowBytes = INITIAL_WINDOW_BYTES;
        }
        try {
          if (frames.messages > 0) throw countError('more than one');
          frames.push(bytes);
        } catch (error) {
          settle(() => reject(error));
        }
      },
      end: () => {
        settle(() => {
          try {
            frames.end();
            if (frames.messages !== 1) throw countError(frames.messages === 0 ? 'none' : 'more than one');
            resolve(decoder.result());
          } catch (error) {
            reject(error);
          }
        });
      },
    });
  });
}

function countError(got: string): KlosetError {
  return new KlosetError('REQUEST_INVALID', `expected one message in the request, got ${got}`);
}

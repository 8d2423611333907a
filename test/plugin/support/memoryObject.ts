/** An object that arrives into the heap, within a budget that a test controls. */
import { bufferSource } from '../../../src/engine/bufferSource.ts';
import type { IncomingObject } from '../../../src/engine/incomingObject.ts';
import { cancelled } from '../../../src/errors.ts';
import { ByteBudget } from '../../../src/flow/byteBudget.ts';

const FIRST_ROOM_BYTES = 1024 * 1024;

export interface MemoryObjects {
  receive(): IncomingObject;
  /** Objects whose memory was not given back. */
  readonly held: number;
}

export function memoryObjects(
  budget = new ByteBudget(1024 ** 3),
  stepBytes = FIRST_ROOM_BYTES,
): MemoryObjects {
  let held = 0;
  return {
    get held() {
      return held;
    },
    receive: () => {
      held++;
      const chunks: Uint8Array[] = [];
      let takenBytes = 0;
      let roomBytes = FIRST_ROOM_BYTES;
      let state: 'open' | 'finished' | 'gone' = 'open';
      const discard = () => {
        if (state === 'gone') return;
        state = 'gone';
        held--;
        budget.release(takenBytes);
      };
      return {
        get roomBytes() {
          return roomBytes;
        },
        grow: async (signal) => {
          await budget.acquire(stepBytes, signal);
          if (state !== 'open') {
            budget.release(stepBytes);
            throw cancelled();
          }
          takenBytes += stepBytes;
          roomBytes += stepBytes;
          return stepBytes;
        },
        write: (bytes) => {
          if (state !== 'open') throw new Error(`the object is ${state}`);
          if (bytes.length > roomBytes) throw new RangeError(`room for ${roomBytes}, got ${bytes.length}`);
          roomBytes -= bytes.length;
          chunks.push(Uint8Array.from(bytes));
        },
        finish: (name) => {
          state = 'finished';
          return bufferSource(Buffer.concat(chunks), name);
        },
        discard,
      };
    },
  };
}

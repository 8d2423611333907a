import type { ErrorDetails } from '../errors.ts';
import { readBody } from './body.ts';
import { type Exchange, repeated, sendOnce } from './exchange.ts';
import type { RegistryAnswer, RegistryRequest } from './transport.ts';

/** An answer with its body in memory. */
export interface WholeAnswer {
  readonly answer: RegistryAnswer;
  readonly bytes: Uint8Array;
}

/**
 * Sends a request that may be repeated, and reads the answer whole. A body that breaks off or stalls counts as a failed
 * attempt like a request without an answer: to whoever asked it makes no difference where the connection broke.
 *
 * @param limitBytes bound of the body
 * @param what the body, for messages
 */
export function sendAndRead(
  exchange: Exchange,
  request: RegistryRequest,
  wanted: readonly number[],
  { limitBytes, what, details }: { limitBytes: number; what: string; details: ErrorDetails },
): Promise<WholeAnswer> {
  const attempt = async () => {
    const { answer } = await sendOnce(exchange, request, wanted, details);
    return { answer, bytes: await readBody(answer, limitBytes, what) };
  };
  return repeated(exchange, request, attempt);
}

/** The answer once more, for what wants to read its body itself. */
export function inMemory(answer: RegistryAnswer, bytes: Uint8Array): RegistryAnswer {
  async function* once() {
    yield bytes;
  }
  return { ...answer, body: Object.assign(once(), { cancel: async () => {} }) };
}

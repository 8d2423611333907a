import type { ErrorDetails } from '../errors.ts';
import { readBody } from './body.ts';
import { type Exchange, repeated, sendOnce } from './exchange.ts';
import type { RegistryAnswer, RegistryRequest } from './transport.ts';

/** An answer with its body in memory. */
export interface WholeAnswer {
  readonly answer: RegistryAnswer;
  readonly bytes: Uint8Array;
}

interface WholeOptions {
  readonly limitBytes: number;
  readonly what: string;
  readonly details: ErrorDetails;
  readonly onHead?: (answer: RegistryAnswer) => void;
}

/**
 * Sends a request that may be repeated, and reads the answer whole. A body that breaks off or stalls counts as a failed
 * attempt like a request without an answer: to whoever asked it makes no difference where the connection broke.
 *
 * @param limitBytes bound of the body
 * @param what the body, for messages
 * @param onHead is called with each answer before its body is read, which may then break off
 */
export function sendAndRead(
  exchange: Exchange,
  request: RegistryRequest,
  wanted: readonly number[],
  { limitBytes, what, details, onHead }: WholeOptions,
): Promise<WholeAnswer> {
  const attempt = async () => {
    const { answer } = await sendOnce(exchange, request, wanted, details);
    onHead?.(answer);
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

import type { RegistryAnswer, RegistryRequest } from './transport.ts';

/** The body of a request: the memory of each piece is used again once the next one is asked for. */
export type BodyPieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** An answer whose body is still arriving. */
export interface BegunAnswer extends Pick<RegistryAnswer, 'status' | 'headers'> {
  readonly body: AsyncIterable<unknown> & { destroy(): unknown };
}

/** Connections to one origin. */
export interface HttpClient {
  /**
   * The head of the answer to a request, and its body. Rejects with the errors of the runtime and of libraries, and with
   * the reason of the signal.
   *
   * @param signal also ends the body
   */
  request(
    request: RegistryRequest,
    signal: AbortSignal,
    pieces: BodyPieces | undefined,
  ): Promise<BegunAnswer>;
  /** Ends all connections; what waits for an answer fails. */
  close(): Promise<void>;
}

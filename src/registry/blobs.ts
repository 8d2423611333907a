import { KlosetError } from '../errors.ts';
import { answerError } from './answerErrors.ts';
import { discardBody } from './body.ts';
import { attemptsAt, type Exchange, repositoryUrl, sendForHead } from './exchange.ts';
import { follow } from './redirects.ts';
import { describeReference } from './reference.ts';
import type { PlaceBytes, RegistryAnswer, RegistryRequest } from './transport.ts';

/** Length of a blob in bytes, or `undefined` when the registry does not have it. */
export async function headBlob(
  exchange: Exchange,
  digest: string,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const url = repositoryUrl(exchange, `blobs/${digest}`);
  const request: RegistryRequest = { kind: 'blob-head', method: 'HEAD', url, signal };
  let answer = await sendForHead(exchange, request, [200, 301, 302, 303, 307, 308, 404], { object: digest });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) {
    // A storage URL signed for GET may refuse HEAD: one byte tells the length as well.
    answer = await openBlob(exchange, digest, { offset: 0, length: 1 }, signal);
    await discardBody(answer);
    const total =
      /\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1] ?? answer.headers['content-length'];
    return Number(total);
  }
  const length = Number(answer.headers['content-length']);
  return Number.isSafeInteger(length) ? length : undefined;
}

/** Position of a read. Without a length it goes to the end of the blob. */
export interface ReadRange {
  readonly offset: number;
  readonly length?: number | undefined;
}

/**
 * The bytes of a blob, whole or in part. A connection that breaks is taken up again at the byte it reached; a
 * registry that answers a range with the whole blob has the rest cut off, and one that answers another range is asked
 * once more. The bytes are not checked against the
 * digest here.
 *
 * @param place memory for the bytes, by their distance from the start of the range; where the transport can read into it,
 *   what comes is a view of it
 * @throws KlosetError BLOB_MISSING, RANGE_INVALID, SIZE_MISMATCH and those of the transport
 */
export async function* readBlob(
  exchange: Exchange,
  digest: string,
  range: ReadRange,
  signal?: AbortSignal,
  place?: PlaceBytes,
): AsyncGenerator<Uint8Array, void, void> {
  let { offset } = range;
  const end = range.length === undefined ? undefined : range.offset + range.length;
  const attempts = attemptsAt(exchange, signal);
  let misdirected = false;
  for (;;) {
    const before = offset;
    try {
      const from = offset - range.offset;
      const answer = await openBlob(
        exchange,
        digest,
        { offset, length: end && end - offset },
        signal,
        place && ((at) => place(from + at)),
      );
      for await (const chunk of wantedBytes(answer, offset, end, digest)) {
        offset += chunk.length;
        yield chunk;
      }
      if (end === undefined || offset >= end) return;
      throw new KlosetError('CONNECTION_LOST', `the blob ended at byte ${offset} of ${end}`, {
        object: digest,
      });
    } catch (thrown) {
      if (!(thrown instanceof KlosetError) || signal?.aborted) throw thrown;
      if (thrown.code === 'RANGE_INVALID') {
        // The connection broke behind the last byte of a blob whose length nobody told: there is nothing from here on.
        if (thrown.details.status === 416 && end === undefined && offset > range.offset) return;
        // A cache in between may be right the next time; a registry that cannot do it is not.
        if (thrown.details.status === undefined && !misdirected) {
          misdirected = true;
          continue;
        }
      }
      // Bytes that came through are progress: a flaky link that moves never runs out of attempts.
      if (offset > before) attempts.progressed();
      await attempts.next(thrown.with({ object: digest, registry: describeReference(exchange.reference) }));
    }
  }
}

async function openBlob(
  exchange: Exchange,
  digest: string,
  range: ReadRange,
  signal?: AbortSignal,
  place?: PlaceBytes,
): Promise<RegistryAnswer> {
  const url = repositoryUrl(exchange, `blobs/${digest}`);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (range.offset > 0 || range.length !== undefined) {
    headers.range = `bytes=${range.offset}-${range.length === undefined ? '' : range.offset + range.length - 1}`;
  }
  const first: RegistryRequest = { kind: 'blob-read', method: 'GET', url, headers, signal, place };
  for (let renewed = false; ; renewed = true) {
    const { answer, request, hops } = await follow(exchange.transport, first);
    if (answer.status === 200 || answer.status === 206) return answer;
    if (answer.status === 403 && hops > 0 && !renewed) {
      // The signed URL ran out; the registry makes a new one.
      await discardBody(answer);
      continue;
    }
    const error = await answerError(answer, request, {
      object: digest,
      registry: describeReference(exchange.reference),
    });
    throw answer.status === 404 && error.code === 'OBJECT_MISSING'
      ? new KlosetError('BLOB_MISSING', 'the registry does not have the blob', error.details)
      : error;
  }
}

async function* wantedBytes(
  answer: RegistryAnswer,
  offset: number,
  end: number | undefined,
  digest: string,
): AsyncGenerator<Uint8Array, void, void> {
  // Quay and Cloudflare answer a range with 200 and everything.
  let skip = answer.status === 200 ? offset : 0;
  if (answer.status === 206) {
    const start = /^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '')?.[1];
    if (Number(start) !== offset) {
      await answer.body.cancel();
      throw new KlosetError(
        'RANGE_INVALID',
        `asked for bytes from ${offset}, got "${answer.headers['content-range']}"`,
        {
          object: digest,
        },
      );
    }
  }
  const encoding = answer.headers['content-encoding'];
  if (encoding && encoding !== 'identity') {
    await answer.body.cancel();
    throw new KlosetError('REGISTRY_FOREIGN', `the blob came in content-encoding "${encoding}"`, {
      object: digest,
    });
  }
  let at = offset;
  for await (const chunk of answer.body) {
    let rest = chunk;
    if (skip > 0) {
      const cut = Math.min(skip, rest.length);
      skip -= cut;
      rest = rest.subarray(cut);
    }
    if (end !== undefined && at + rest.length > end) rest = rest.subarray(0, end - at);
    at += rest.length;
    if (rest.length > 0) yield rest;
    if (end !== undefined && at >= end) break;
  }
}

/** Takes tags in the bytes in which they came. */
export interface TagReader {
  /**
   * Takes the tag that begins at `at`, if it is one that the reader knows by its bytes.
   *
   * @returns where its closing quote is, or 0 where it has taken nothing
   */
  take(body: Uint8Array, at: number): number;
  /** Takes any other. */
  takeOther(tag: string): void;
}

/** What is known of a page whose tags were read. */
export interface PlainTags {
  readonly count: number;
  readonly last: string;
}

const HEAD = Buffer.from('{"name":"');
const MIDDLE = Buffer.from('","tags":["');
/** Behind the last tag; distribution and what is made of it end with a newline. */
const ENDS = ['"]}', '"]}\n'];
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
/** Of what is printable. */
const [FIRST, LAST] = [0x20, 0x7e];

/**
 * Reads the one form in which nearly all registries write a page: `{"name":"…","tags":["…","…"]}`, names and tags of
 * printable ASCII without escapes. A string per tag, made only to be looked at, is most of what a listing costs. Whatever
 * is written in another way, be it by a space, is left to a parser for all of JSON: then the result is `undefined`.
 */
export function readPlainTags(body: Buffer, reader: TagReader): PlainTags | undefined {
  if (!holds(body, HEAD, 0)) return undefined;
  const middle = endOfPlain(body, HEAD.length);
  if (middle < 0 || !holds(body, MIDDLE, middle)) return undefined;
  let at = middle + MIDDLE.length;
  for (let count = 1; ; count++) {
    let end = reader.take(body, at);
    if (end === 0) {
      end = endOfPlain(body, at);
      if (end < 0) return undefined;
      reader.takeOther(body.toString('latin1', at, end));
    }
    if (body[end + 1] !== COMMA || body[end + 2] !== QUOTE) {
      const isEnd = body.length - end < 5 && ENDS.includes(body.toString('latin1', end));
      return isEnd ? { count, last: body.toString('latin1', at, end) } : undefined;
    }
    at = end + 3;
  }
}

function holds(body: Buffer, wanted: Buffer, at: number): boolean {
  return body.subarray(at, at + wanted.length).equals(wanted);
}

/** Where the string that begins at `from` has its closing quote; -1 for one that is not plain. */
function endOfPlain(body: Buffer, from: number): number {
  for (let at = from; at < body.length; at++) {
    const byte = body[at] as number;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH || byte < FIRST || byte > LAST) return -1;
  }
  return -1;
}

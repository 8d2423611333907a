import { KlosetError } from '../errors.ts';
import { type PlainTags, readPlainTags, type TagReader } from './plainTags.ts';

/** What a page is told with beside its bytes. */
export interface TagPageOrigin {
  /** For messages. */
  readonly registry: string;
  /** Whether it calls itself a web page. */
  readonly isHtml: boolean;
}

/** A page of the tag list. Its tags become strings only where somebody asks for them. */
export class TagPage {
  readonly #body: Buffer;
  readonly #origin: TagPageOrigin;
  #tags: readonly string[] | undefined;
  #plain: PlainTags | undefined;

  constructor(body: Uint8Array, origin: TagPageOrigin) {
    this.#body = Buffer.from(body.buffer, body.byteOffset, body.length);
    this.#origin = origin;
  }

  /** @throws KlosetError REGISTRY_FOREIGN for what is no tag list */
  get tags(): readonly string[] {
    this.#tags ??= parseTags(this.#body, this.#origin);
    return this.#tags;
  }

  /**
   * Hands the tags to a reader, in their order, where the page is written as nearly all registries write it. False for
   * any other: what the reader was given then counts for nothing, and {@link tags} has to be looked at.
   */
  read(reader: TagReader): boolean {
    this.#plain = readPlainTags(this.#body, reader);
    return this.#plain !== undefined;
  }

  /** How many tags it has. @throws as {@link tags} */
  get count(): number {
    return this.#plain?.count ?? this.tags.length;
  }

  /** @throws as {@link tags} */
  get last(): string | undefined {
    return this.#plain?.last ?? this.tags.at(-1);
  }
}

function parseTags(body: Buffer, { registry, isHtml }: TagPageOrigin): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    // Without tags is empty; but only an object is a tag list at all.
    const tags = Array.isArray(parsed) ? undefined : ((parsed as { tags?: unknown }).tags ?? []);
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return tags;
  } catch {
    // Told below.
  }
  throw new KlosetError('REGISTRY_FOREIGN', `the tag list is ${isHtml ? 'a web page' : 'no tag list'}`, {
    registry,
    remedy: 'Check host, port and path of the location.',
  });
}

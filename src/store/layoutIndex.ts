import { KlosetError } from '../errors.ts';
import { OCI_MANIFEST_TYPE } from '../registry/manifests.ts';
import { ARTIFACT_TYPE } from './manifest.ts';

/** An entry of `index.json`. Entries of other programs are kept as they are. */
export type Descriptor = Readonly<Record<string, unknown>> & {
  readonly digest: string;
  readonly size: number;
};

/** A tag that is set, or with `undefined` taken away. */
export interface TagChange {
  readonly tag: string;
  readonly descriptor: Descriptor | undefined;
}

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const REF_NAME = 'org.opencontainers.image.ref.name';
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** The entry of an object's manifest. */
export function describeManifest(tag: string, digest: string, size: number): Descriptor {
  return {
    mediaType: OCI_MANIFEST_TYPE,
    digest,
    size,
    annotations: { [REF_NAME]: tag },
    artifactType: ARTIFACT_TYPE,
  };
}

/** The content of `index.json`: manifests by their tags, and what other programs have put beside them. */
export class LayoutIndex {
  readonly tags = new Map<string, Descriptor>();
  #untagged: readonly unknown[] = [];
  #fields: Readonly<Record<string, unknown>> = { schemaVersion: 2, mediaType: INDEX_TYPE };

  /**
   * @param path for messages
   * @throws KlosetError MANIFEST_INVALID
   */
  static parse(bytes: Uint8Array, path: string): LayoutIndex {
    const index = new LayoutIndex();
    const { manifests, ...fields } = parseObject(bytes, path);
    if (!Array.isArray(manifests)) throw broken(path, 'it has no list of manifests');
    index.#fields = fields;
    const untagged: unknown[] = [];
    for (const entry of manifests) {
      if (!isDescriptor(entry)) throw broken(path, 'an entry has no usable digest or size');
      const tag = (entry.annotations as Record<string, unknown> | undefined)?.[REF_NAME];
      if (typeof tag === 'string') index.tags.set(tag, entry);
      else untagged.push(entry);
    }
    index.#untagged = untagged;
    return index;
  }

  apply({ tag, descriptor }: TagChange): void {
    if (descriptor) this.tags.set(tag, descriptor);
    else this.tags.delete(tag);
  }

  serialise(): Uint8Array {
    const manifests = [...this.#untagged, ...this.tags.values()];
    return Buffer.from(JSON.stringify({ ...this.#fields, manifests }));
  }
}

/** One change as a line of the journal. */
export function journalLine(change: TagChange): string {
  return `${JSON.stringify([change.tag, change.descriptor ?? null])}\n`;
}

/** The changes of a journal. Its last line may have been cut by a crash; what it was to say was never acknowledged. */
export function parseJournal(bytes: Uint8Array): TagChange[] {
  const changes: TagChange[] = [];
  for (const line of Buffer.from(bytes).toString('utf8').split('\n').slice(0, -1)) {
    try {
      const [tag, descriptor] = JSON.parse(line) as [unknown, unknown];
      if (typeof tag !== 'string' || !(descriptor === null || isDescriptor(descriptor))) return changes;
      changes.push({ tag, descriptor: descriptor ?? undefined });
    } catch {
      return changes;
    }
  }
  return changes;
}

function parseObject(bytes: Uint8Array, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw broken(path, 'it is no JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw broken(path, 'it is no index');
  return value as Record<string, unknown>;
}

function isDescriptor(value: unknown): value is Descriptor {
  if (typeof value !== 'object' || value === null) return false;
  const { digest, size } = value as Record<string, unknown>;
  return typeof digest === 'string' && DIGEST.test(digest) && Number.isSafeInteger(size) && Number(size) >= 0;
}

function broken(path: string, why: string, cause?: unknown): KlosetError {
  return new KlosetError('MANIFEST_INVALID', `the index of the image layout cannot be used: ${why}`, {
    object: path,
    remedy: 'Restore the file, or copy into a new folder.',
    ...(cause !== undefined && { cause }),
  });
}

import { isKlosetError, KlosetError } from '../errors.ts';
import { CONFIG_TAG, describeRef, type ObjectRef, tagOf } from './objectNames.ts';

/** What messages call an object. */
export function nameOf(target: ObjectRef | 'CONFIG'): string {
  return target === 'CONFIG' ? CONFIG_TAG : describeRef(target);
}

/** Errors of local files that an object is written to. */
const OF_FILES = new Set<string>(['FILE_WRITE_FAILED', 'DISK_FULL']);

/**
 * An error from below as one of the object and the store: the registry client speaks of digests and tags, and nobody
 * finds a packfile by those. What a local file did wrong stays the file's.
 */
function nameError(error: KlosetError, target: ObjectRef | 'CONFIG', registry: string): KlosetError {
  const object = nameOf(target);
  const { object: inner } = error.details;
  if (error.code === 'CANCELLED') return error;
  if (OF_FILES.has(error.code)) return error;
  if (inner === undefined || error.code.startsWith('SOURCE_')) return error.with({ object, registry });
  const told = inner === object || error.summary.includes(inner);
  const tag = target === 'CONFIG' ? CONFIG_TAG : tagOf(target);
  const summary = told || inner === tag ? error.summary : `${error.summary} (${inner})`;
  return new KlosetError(error.code, summary, { ...error.details, object, registry });
}

/** Runs an operation on an object; its errors name the object and the store. */
export async function named<T>(
  target: ObjectRef | 'CONFIG',
  registry: string,
  operation: () => Promise<T>,
): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw isKlosetError(error) ? nameError(error, target, registry) : error;
  }
}

/** A stream whose errors name the object and the place. */
export async function* namedStream(
  target: ObjectRef | 'CONFIG',
  place: string,
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const iterator = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await named(target, place, () => iterator.next());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.(undefined);
  }
}

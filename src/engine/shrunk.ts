import { KlosetError } from '../errors.ts';

/** The error of a source that ends before the length that it had when it was opened. */
export function shrunk(name: string): KlosetError {
  return new KlosetError(
    'SOURCE_CHANGED',
    'ended before its size at the start: it shrank while it was read',
    {
      object: name,
      remedy: 'Push it again once nothing writes to it.',
    },
  );
}

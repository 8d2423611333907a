import { KlosetError } from '../errors.ts';

/** The kinds of object in a Kloset store, beside its one configuration. */
export const OBJECT_TYPES = ['packfile', 'state', 'lock', 'ecc-packfile', 'ecc-state'] as const;
export type ObjectType = (typeof OBJECT_TYPES)[number];

/** One object: its type and its MAC, 32 bytes as 64 lower-case hex digits. */
export interface ObjectRef {
  readonly type: ObjectType;
  readonly mac: string;
}

/** The tag of the store's configuration. */
export const CONFIG_TAG = 'CONFIG';

/** All tags that `doctor` makes begin with it; what it could not delete belongs to no store, and to nobody else. */
export const DOCTOR_TAG_PREFIX = 'kloset-oci-doctor-';

/** The same for `stress`. */
export const STRESS_TAG_PREFIX = 'kloset-oci-stress-';

/** The same for `bench`; also how the repositories that it makes are called. */
export const BENCH_PREFIX = 'kloset-oci-bench-';

// The plural of packfiles and locks beside the singular of state is the wire format of the Go connector.
export const TAG_PREFIXES: Record<ObjectType, string> = {
  packfile: 'packfiles-',
  state: 'state-',
  lock: 'locks-',
  'ecc-packfile': 'ecc-packfiles-',
  'ecc-state': 'ecc-state-',
};

const MAC_PATTERN = /^[0-9a-f]{64}$/;

/** True for 64 lower-case hex digits. */
export function isMac(text: string): boolean {
  return MAC_PATTERN.test(text);
}

/**
 * A reference from user input.
 *
 * @throws KlosetError OBJECT_NAME_INVALID
 */
export function objectRef(type: string, mac: string): ObjectRef {
  if (!OBJECT_TYPES.includes(type as ObjectType)) {
    throw new KlosetError('OBJECT_NAME_INVALID', `expected an object type, got "${type}"`, {
      remedy: `Use one of: ${OBJECT_TYPES.join(', ')}.`,
    });
  }
  const lower = mac.toLowerCase();
  if (!isMac(lower)) {
    throw new KlosetError('OBJECT_NAME_INVALID', `expected a MAC of 64 hex digits, got "${mac}"`, {
      remedy: 'List the MACs of a store with "kloset-oci ls LOCATION".',
    });
  }
  return { type: type as ObjectType, mac: lower };
}

/** The tag of an object; of a later generation of it, where the first tag could not be written again. */
export function tagOf(ref: ObjectRef, generation = 0): string {
  return `${TAG_PREFIXES[ref.type]}${ref.mac}${generation === 0 ? '' : `.${generation}`}`;
}

/** The object behind a tag of the first generation, or `undefined` when the tag is none of ours. */
export function refOfTag(tag: string): ObjectRef | undefined {
  for (const type of OBJECT_TYPES) {
    const prefix = TAG_PREFIXES[type];
    if (!tag.startsWith(prefix)) continue;
    const mac = tag.slice(prefix.length);
    if (isMac(mac)) return { type, mac };
  }
  return undefined;
}

/** `packfile 3f…` in full, for messages. */
export function describeRef(ref: ObjectRef): string {
  return `${ref.type} ${ref.mac}`;
}

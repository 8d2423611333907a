import { KlosetError } from '../errors.ts';
import type { ObjectRef, ObjectType } from '../store/objectNames.ts';
import type { ByteRange } from '../store/objectStore.ts';
import { type FieldSink, readMessage } from './protoReader.ts';

/** A request message on its way in: the fields as they come, and what they amount to. See store.proto. */
export interface RequestDecoder<T> extends FieldSink {
  /** @throws KlosetError REQUEST_INVALID */
  result(): T;
}

/** What the host names when it opens a store. */
export interface InitRequest {
  readonly protocol: string;
  readonly config: ReadonlyMap<string, string>;
}

/** An object, and which part of it a Get asks for. */
export interface ObjectRequest {
  readonly ref: ObjectRef;
  readonly range: ByteRange | undefined;
}

const TYPES: Readonly<Record<number, ObjectType>> = {
  1: 'packfile',
  2: 'state',
  3: 'lock',
  4: 'ecc-packfile',
  5: 'ecc-state',
};

const MAC_BYTES = 32;

const ignoring: FieldSink = {
  varint: () => {},
  delivery: () => 'skip',
  content: () => {},
  piece: () => {},
};

/** A request that says nothing. */
export function emptyRequest(): RequestDecoder<undefined> {
  return { ...ignoring, result: () => undefined };
}

export function initRequest(): RequestDecoder<InitRequest> {
  let protocol = '';
  const config = new Map<string, string>();
  return {
    ...ignoring,
    delivery: (field) => (field === 1 || field === 2 ? 'collect' : 'skip'),
    content: (field, bytes) => {
      if (field === 1) protocol = textOf(bytes, 'the protocol');
      else config.set(...entryOf(bytes));
    },
    result: () => ({ protocol, config }),
  };
}

/** The configuration of a new store. */
export function createRequest(): RequestDecoder<Uint8Array> {
  let config: Uint8Array = new Uint8Array();
  return {
    ...ignoring,
    delivery: (field) => (field === 1 ? 'collect' : 'skip'),
    content: (_, bytes) => {
      config = bytes;
    },
    result: () => config,
  };
}

/** The type of the objects to list. */
export function listRequest(): RequestDecoder<ObjectType> {
  let type = 0;
  return {
    ...ignoring,
    varint: (field, value) => {
      if (field === 1) type = value;
    },
    result: () => typeOf(type),
  };
}

/** The requests of Get and Delete: the latter has no range, and ignores what stands at its number. */
export function objectRequest(): RequestDecoder<ObjectRequest> {
  let mac: Uint8Array | undefined;
  let type = 0;
  let range: { offset: number; length: number } | undefined;
  return {
    ...ignoring,
    varint: (field, value) => {
      if (field === 2) type = value;
    },
    delivery: (field) => (field === 1 || field === 3 ? 'collect' : 'skip'),
    content: (field, bytes) => {
      if (field === 1) mac = bytes;
      else {
        range ??= { offset: 0, length: 0 };
        readRange(bytes, range);
      }
    },
    result: () => ({ ref: refOf(mac, type), range }),
  };
}

/**
 * The object that a MAC and a type of the wire name.
 *
 * @throws KlosetError REQUEST_INVALID
 */
export function refOf(mac: Uint8Array | undefined, type: number): ObjectRef {
  if (mac?.length !== MAC_BYTES) {
    throw new KlosetError(
      'REQUEST_INVALID',
      `expected a MAC of ${MAC_BYTES} bytes, got ${mac === undefined ? 'none' : `one of ${mac.length}`}`,
    );
  }
  return { type: typeOf(type), mac: Buffer.from(mac).toString('hex') };
}

function typeOf(value: number): ObjectType {
  const type = TYPES[value];
  if (type) return type;
  throw new KlosetError('REQUEST_INVALID', `expected a type of object from 1 to 5, got ${value}`, {
    remedy: 'This Plakar may be newer than the plugin: look for a newer version of the plugin.',
  });
}

function readRange(bytes: Uint8Array, range: { offset: number; length: number }): void {
  readMessage(bytes, {
    ...ignoring,
    varint: (field, value) => {
      if (field !== 1 && field !== 2) return;
      if (!Number.isSafeInteger(value)) {
        throw new KlosetError('REQUEST_INVALID', 'a byte range lies beyond any object');
      }
      if (field === 1) range.offset = value;
      else range.length = value;
    },
  });
}

function entryOf(bytes: Uint8Array): [key: string, value: string] {
  let key = '';
  let value = '';
  readMessage(bytes, {
    ...ignoring,
    delivery: (field) => (field === 1 || field === 2 ? 'collect' : 'skip'),
    content: (field, content) => {
      if (field === 1) key = textOf(content, 'the name of an option');
      else value = textOf(content, `the value of the option ${key}`);
    },
  });
  return [key, value];
}

function textOf(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new KlosetError('REQUEST_INVALID', `${what} is no UTF-8 text`, { cause });
  }
}

import { createHash } from 'node:crypto';
import { KlosetError } from '../errors.ts';
import { OCI_MANIFEST_TYPE } from '../registry/manifests.ts';
import { CONFIG_TAG, type ObjectRef, tagOf } from './objectNames.ts';

/** One layer of an object's manifest. */
export interface Layer {
  readonly digest: string;
  readonly bytes: number;
  /** The payload itself, where it rides in the descriptor. */
  readonly data?: Uint8Array | undefined;
}

/** What a manifest says of an object. */
export interface ObjectManifest {
  readonly layers: readonly Layer[];
  /** False for manifests of the Go connector: the sizes in them are guesses, the digests are not. */
  readonly ours: boolean;
  /** The manifest itself, where it says of which generation it is: no other tag of the store has it. */
  readonly own?: { readonly digest: string; readonly generation: number } | undefined;
}

/** The two-byte `{}` blob that every manifest names as its configuration. */
export const EMPTY_CONFIG = {
  content: new Uint8Array([0x7b, 0x7d]),
  digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
} as const;

/** Payloads up to here also ride in the manifest, so that reading one costs a single request. */
export const INLINE_LIMIT_BYTES = 4096;

const FOREIGN_REMEDY =
  'Something else writes to this repository: give the store one of its own, and restore the tag or delete it.';
/** What an object's manifest is an artifact of. */
export const ARTIFACT_TYPE = 'application/vnd.kloset.object.v1';
const LAYER_TYPE = 'application/octet-stream';
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const TYPE_KEY = 'org.kloset.object.type';
const MAC_KEY = 'org.kloset.object.mac';
const GENERATION_KEY = 'org.kloset.object.generation';
const TOMBSTONE_TYPE = 'application/vnd.kloset.tombstone.v1';
const TOMBSTONE_KEY = 'org.kloset.tombstone';

/**
 * The manifest of an object. The annotations make it unique: registries delete by digest and take every tag of it
 * along, so that two objects of the same content, or two generations of one, must not share one.
 *
 * @param legacy write the OCI 1.0 form, for registries that refuse `artifactType`
 */
export function buildManifest(
  ref: ObjectRef | 'CONFIG',
  layers: readonly Layer[],
  legacy = false,
  generation = 0,
): Uint8Array {
  return artifact(
    ARTIFACT_TYPE,
    layers.map(({ digest, bytes, data }) => ({
      mediaType: LAYER_TYPE,
      digest,
      size: bytes,
      ...(data && { data: Buffer.from(data).toString('base64') }),
    })),
    ref === 'CONFIG'
      ? { [TYPE_KEY]: 'config', [MAC_KEY]: CONFIG_TAG }
      : {
          [TYPE_KEY]: ref.type,
          [MAC_KEY]: ref.mac,
          ...(generation > 0 && { [GENERATION_KEY]: String(generation) }),
        },
    legacy,
  );
}

/**
 * The empty artifact that stands for a deleted object, its generations up to this one. Under the tombstone's tag it
 * hides the object, under the object's tags it takes the place of the payload.
 */
export function buildTombstone(ref: ObjectRef, generation: number, legacy = false): Uint8Array {
  const layer = { mediaType: EMPTY_TYPE, digest: EMPTY_CONFIG.digest, size: 2 };
  return artifact(TOMBSTONE_TYPE, [layer], { [TOMBSTONE_KEY]: tagOf(ref, generation) }, legacy);
}

function artifact(
  artifactType: string,
  layers: readonly unknown[],
  annotations: Readonly<Record<string, string>>,
  legacy: boolean,
): Uint8Array {
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST_TYPE,
    ...(!legacy && { artifactType }),
    config: { mediaType: legacy ? CONFIG_TYPE : EMPTY_TYPE, digest: EMPTY_CONFIG.digest, size: 2 },
    layers,
    annotations,
  };
  return Buffer.from(JSON.stringify(manifest));
}

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/**
 * Reads the manifest under one of our tags: written by us, or by the Go connector (one octet-stream layer, no
 * annotations). `buried` for the empty artifact that was put in the place of a deleted object.
 *
 * @param generation of the tag, as far as it matters: a manifest that was written for another one is not its own
 * @throws KlosetError MANIFEST_INVALID, MANIFEST_FOREIGN
 */
export function readManifest(
  stored: { readonly bytes: Uint8Array; readonly digest: string | undefined },
  ref: ObjectRef | 'CONFIG',
  generation = 0,
): ObjectManifest | 'buried' {
  const manifest = parseJson(stored.bytes);
  if (annotation(manifest, TOMBSTONE_KEY) !== undefined) return 'buried';
  const parsed = checkManifest(manifest, ref);
  const written = annotation(manifest, GENERATION_KEY) ?? '0';
  if (!parsed.ours || written !== String(generation)) return parsed;
  return { ...parsed, own: { digest: stored.digest ?? digestOf(stored.bytes), generation } };
}

/** `sha256:<hex>` */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * As {@link readManifest}, of a place without deleted objects.
 *
 * @throws KlosetError MANIFEST_INVALID, MANIFEST_FOREIGN
 */
export function parseManifest(bytes: Uint8Array, ref: ObjectRef | 'CONFIG'): ObjectManifest {
  return checkManifest(parseJson(bytes), ref);
}

function parseJson(bytes: Uint8Array): Record<string, unknown> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new KlosetError('MANIFEST_INVALID', 'the manifest is no JSON', { remedy: FOREIGN_REMEDY, cause });
  }
  return typeof manifest === 'object' && manifest !== null ? (manifest as Record<string, unknown>) : {};
}

function checkManifest(manifest: Record<string, unknown>, ref: ObjectRef | 'CONFIG'): ObjectManifest {
  if (!Array.isArray(manifest.layers)) {
    throw new KlosetError(
      'MANIFEST_FOREIGN',
      'the manifest has no layers: an index or another kind of artifact',
      { remedy: FOREIGN_REMEDY },
    );
  }
  const ours = manifest.artifactType === ARTIFACT_TYPE || annotation(manifest, TYPE_KEY) !== undefined;
  const layers = manifest.layers.map(parseLayer);
  if (layers.length === 0)
    throw new KlosetError('MANIFEST_INVALID', 'the manifest has no layer', { remedy: FOREIGN_REMEDY });
  if (ours) {
    const [type, mac] = ref === 'CONFIG' ? ['config', CONFIG_TAG] : [ref.type, ref.mac];
    if (annotation(manifest, TYPE_KEY) !== type || annotation(manifest, MAC_KEY) !== mac) {
      throw new KlosetError('MANIFEST_FOREIGN', 'the manifest was written for another object', {
        remedy: 'Something has moved tags in this repository; restore the tag, or delete it.',
      });
    }
  } else if (manifest.layers.some((layer) => (layer as { mediaType?: unknown }).mediaType !== LAYER_TYPE)) {
    throw new KlosetError('MANIFEST_FOREIGN', 'the manifest is no Kloset object (a container image?)', {
      remedy: FOREIGN_REMEDY,
    });
  }
  return { layers, ours };
}

function annotation(manifest: Record<string, unknown>, key: string): unknown {
  const { annotations } = manifest;
  return typeof annotations === 'object' && annotations !== null
    ? (annotations as Record<string, unknown>)[key]
    : undefined;
}

function parseLayer(value: unknown): Layer {
  const layer = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { digest, size, data } = layer;
  if (typeof digest !== 'string' || !DIGEST.test(digest) || typeof size !== 'number' || !(size >= 0)) {
    throw new KlosetError('MANIFEST_INVALID', 'a layer has no usable digest or size', {
      remedy: FOREIGN_REMEDY,
    });
  }
  const inline = typeof data === 'string' ? Buffer.from(data, 'base64') : undefined;
  return { digest, bytes: size, ...(inline?.length === size && { data: inline }) };
}

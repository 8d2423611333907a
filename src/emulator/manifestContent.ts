import { isDigest } from './names.ts';

/** What the registry reads out of a manifest. */
export interface ManifestContent {
  readonly mediaType?: string;
  readonly subject?: string;
  readonly artifactType?: string;
  /** True for an `artifactType` of its own, which came with version 1.1; else the type is that of the configuration. */
  readonly declaresArtifactType: boolean;
  /** How many layers there are, those that live elsewhere included. */
  readonly layers: number;
  readonly annotations?: Record<string, string>;
  /** The blobs and manifests that have to be there before. */
  readonly blobs: readonly string[];
  readonly manifests: readonly string[];
}

interface Descriptor {
  mediaType?: unknown;
  digest?: unknown;
}

/** Reads a manifest, or says in words why it is none. */
export function readManifestContent(bytes: Buffer): ManifestContent | string {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return 'the manifest is not JSON';
  }
  if (!isObject(value)) return 'the manifest is not a JSON object';
  const config = isObject(value.config) ? (value.config as Descriptor) : undefined;
  const layers = list(value.layers).filter((layer) => !isForeign(layer));
  const children = list(value.manifests);
  const subject = isObject(value.subject) ? (value.subject as Descriptor) : undefined;
  const blobs = config ? [config, ...layers] : layers;
  for (const descriptor of [...blobs, ...children, ...(subject ? [subject] : [])]) {
    if (typeof descriptor.digest !== 'string' || !isDigest(descriptor.digest)) {
      return 'the manifest holds a descriptor without a valid digest';
    }
  }
  const artifactType = text(value.artifactType) ?? text(config?.mediaType);
  const mediaType = text(value.mediaType);
  const annotations = annotationsOf(value.annotations);
  return {
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(subject === undefined ? {} : { subject: subject.digest as string }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
    declaresArtifactType: text(value.artifactType) !== undefined,
    layers: list(value.layers).length,
    blobs: blobs.map((descriptor) => descriptor.digest as string),
    manifests: children.map((descriptor) => descriptor.digest as string),
  };
}

/** Layers that by their type live elsewhere are never pushed. */
function isForeign(layer: Descriptor): boolean {
  const type = text(layer.mediaType) ?? '';
  return type.includes('.nondistributable.') || type.includes('.rootfs.foreign.');
}

function annotationsOf(value: unknown): Record<string, string> | undefined {
  if (!isObject(value)) return undefined;
  const pairs = Object.entries(value).filter(([, entry]) => typeof entry === 'string');
  return Object.fromEntries(pairs) as Record<string, string>;
}

function list(value: unknown): Descriptor[] {
  return Array.isArray(value) ? value.map((entry) => (isObject(entry) ? entry : {})) : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

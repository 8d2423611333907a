import { registry2 } from './distribution.ts';
import type { EmulatorProfile } from './profile.ts';
import { BLOB_UNKNOWN_IN_MANIFEST, NAME_UNKNOWN, UNSUPPORTED } from './refusals.ts';

const SOURCE = 'goharbor/harbor c50c7ddd6e (2026-08-21)';

/** Uploads go through to distribution 2.8; all else is Harbor's own. */
export const harbor: EmulatorProfile = {
  ...registry2,
  name: 'harbor',
  title: 'Harbor',
  blobs: {
    bytes: 'direct',
    ranges: true,
    delete: UNSUPPORTED,
    collected: { status: 404, code: 'NOT_FOUND', message: 'the asking blob is in GC, sha256 {digest}' },
  },
  manifests: {
    tellsLocation: true,
    tooLarge: { status: 413, code: 'SIZE_INVALID', message: 'manifest is larger than 4 MiB' },
    missingBlob: BLOB_UNKNOWN_IN_MANIFEST,
    remove: { tag: { status: 400, code: 'UNSUPPORTED', message: 'not supported: delete by tag' } },
  },
  tags: { page: 'all', order: 'sorted', link: 'relative', empty: '[]', unknown: NAME_UNKNOWN },
  referrers: true,
  auth: {
    scheme: 'bearer',
    service: 'harbor-registry',
    tokenPath: '/service/token',
    tokenLifeMs: 30 * 60_000,
    field: 'both',
    post: 404,
  },
  headers: { 'Set-Cookie': 'sid=0123456789abcdef; Path=/; HttpOnly' },
  quota: {
    status: 403,
    code: 'DENIED',
    message: 'adding the artifact would exceed the configured storage quota of the project',
  },
  rates: [
    {
      kinds: 'all',
      requests: 6000,
      perMs: 60_000,
      refusal: { status: 429, code: 'TOO_MANY_REQUEST', message: 'too many requests' },
      source: 'no limit by default; the spelling is that of src/lib/errors/const.go',
    },
  ],
  evidence: [
    { what: 'uploads as distribution 2.8', trust: 'read', source: SOURCE },
    {
      what: 'deletion by tag is 400 UNSUPPORTED',
      trust: 'read',
      source: `${SOURCE} src/server/registry/manifest.go`,
    },
    {
      what: 'HEAD of a blob in garbage collection is 404, "the asking blob is in GC"',
      trust: 'read',
      source: `${SOURCE} src/server/middleware/blob/head_blob.go`,
    },
    { what: 'code TOO_MANY_REQUEST', trust: 'read', source: `${SOURCE} src/lib/errors/const.go` },
    { what: 'a `sid` cookie', trust: 'reported', source: 'dotnet/sdk issue 33019' },
    { what: 'tokens live 30 min', trust: 'documented', source: 'Harbor configuration, token_expiration' },
    { what: 'blobs cannot be deleted', trust: 'inferred', source: 'no handler of its own' },
  ],
};

export const harborImmutable: EmulatorProfile = {
  ...harbor,
  name: 'harbor-immutable',
  title: 'Harbor with a rule for immutable tags',
  variantOf: 'harbor',
  manifests: {
    ...harbor.manifests,
    immutable: {
      always: true,
      put: {
        status: 412,
        code: 'PRECONDITION',
        message: 'Failed to process request due to {tag} configured as immutable.',
      },
      remove: {
        status: 412,
        code: 'PRECONDITION',
        message: 'Failed to process request: the artifact has a tag that is configured as immutable.',
      },
    },
  },
  evidence: [
    ...harbor.evidence,
    { what: '412 for a tag that exists, and for the deletion of its digest', trust: 'read', source: SOURCE },
  ],
};

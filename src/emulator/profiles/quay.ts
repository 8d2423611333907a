import type { EmulatorProfile } from './profile.ts';
import { NAME_UNKNOWN, UNSUPPORTED, UPLOAD_UNKNOWN } from './refusals.ts';

const SOURCE = 'quay/quay ffba0c70e (2026-08-21)';

export const quay: EmulatorProfile = {
  name: 'quay',
  title: 'Quay',
  upload: {
    singlePost: 'stored',
    mount: {
      withoutFrom: { status: 400, code: 'INVALID_REQUEST', message: 'Invalid request: from is missing' },
    },
    location: 'absolute',
    state: 'none',
    unknown: UPLOAD_UNKNOWN,
    range: { opened: 'bytes', chunk: 'cumulative', status: 'bytes-count', refused: 'count' },
    status: 'without-location',
    chunkStatus: 202,
    chunks: 'overlapping',
    misplaced: { status: 416, message: '', form: 'bare' },
    malformedRange: { status: 400, code: 'BLOB_UPLOAD_INVALID', message: 'Invalid range header' },
    last: { body: 'appended', range: 'checked' },
    wrongDigest: { status: 400, code: 'BLOB_UPLOAD_INVALID', message: 'blob upload invalid' },
  },
  blobs: { bytes: 302, ranges: false, delete: UNSUPPORTED },
  manifests: {
    tellsLocation: true,
    tooLarge: { status: 400, code: 'MANIFEST_INVALID', message: 'manifest invalid' },
    missingBlob: { status: 404, code: 'BLOB_UNKNOWN', message: 'blob unknown to registry' },
    remove: {},
  },
  tags: {
    page: 100,
    maxPage: { tags: 100 },
    order: 'as-stored',
    link: 'absolute',
    empty: '[]',
    unknown: NAME_UNKNOWN,
  },
  referrers: true,
  auth: {
    scheme: 'bearer',
    service: 'quay.io',
    tokenPath: '/v2/auth',
    tokenLifeMs: 3_600_000,
    showsLife: false,
    post: 405,
  },
  quota: { status: 403, code: 'DENIED', message: 'Quota has been exceeded on namespace' },
  rates: [
    {
      kinds: 'all',
      requests: 50,
      perMs: 1000,
      refusal: { status: 429, message: '429 Too Many Requests', form: 'html' },
      source: `${SOURCE} conf/nginx/rate-limiting.conf.jnj`,
    },
  ],
  evidence: [
    {
      what: 'POST with a digest stores the blob',
      trust: 'read',
      source: `${SOURCE} endpoints/v2/blob.py, lines 306 to 325`,
    },
    {
      what: 'Range `bytes=0--1` on POST, `bytes=0-N` on GET and `0-N` on 416 with N the count',
      trust: 'read',
      source: `${SOURCE} endpoints/v2/blob.py, lines 303, 345 and 506`,
    },
    {
      what: 'GET of a session has no Location',
      trust: 'read',
      source: `${SOURCE} endpoints/v2/blob.py, line 345`,
    },
    {
      what: 'bytes that are there already are passed over, except when the chunk starts at 0',
      trust: 'read',
      source: `${SOURCE} data/registry_model/blobuploader.py, lines 168 to 262`,
    },
    {
      what: 'blobs cannot be deleted',
      trust: 'read',
      source: `${SOURCE} endpoints/v2/blob.py, lines 485 to 492`,
    },
    { what: 'blobs come by 302', trust: 'read', source: `${SOURCE} endpoints/v2/blob.py, download_blob` },
    {
      what: 'pages of 100 in the order of ids',
      trust: 'read',
      source: `${SOURCE} endpoints/v2/__init__.py, line 83`,
    },
    { what: 'quota is 403', trust: 'read', source: `${SOURCE} endpoints/v2/blob.py` },
    {
      what: 'a mount without `from` fails',
      trust: 'reported',
      source: 'go-containerregistry pkg/v1/remote/write.go',
    },
  ],
};

/** With a storage that has no URLs of its own, such as a local disk. */
export const quayDirect: EmulatorProfile = {
  ...quay,
  name: 'quay-direct',
  title: 'Quay that serves blobs by itself',
  variantOf: 'quay',
  blobs: { ...quay.blobs, bytes: 'direct' },
  evidence: [
    ...quay.evidence,
    {
      what: 'a Range is answered with the whole blob',
      trust: 'read',
      source: `${SOURCE} endpoints/v2/blob.py`,
    },
  ],
};

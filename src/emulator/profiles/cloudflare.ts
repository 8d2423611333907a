import type { EmulatorProfile, Refusal } from './profile.ts';

const SOURCE = 'cloudflare/serverless-registry 5f97b0e (2026-06-17)';
const INTERNAL: Refusal = { status: 500, code: 'INTERNAL_ERROR', message: 'Internal Server Error' };
const RANGE_ERROR: Refusal = {
  status: 416,
  code: 'RANGE_ERROR',
  message: 'state hash or range is not the current one',
};

/** cloudflare/serverless-registry on Workers and R2, on the plan with bodies of 100 MB. */
export const cloudflare: EmulatorProfile = {
  name: 'cloudflare',
  title: 'Cloudflare serverless-registry',
  upload: {
    singlePost: 'ignored',
    location: 'relative',
    state: 'hash',
    unknown: INTERNAL,
    unknownStatus: { status: 404, code: 'BLOB_UPLOAD_UNKNOWN', message: 'upload not found' },
    stale: RANGE_ERROR,
    forged: INTERNAL,
    range: { opened: 'cumulative', chunk: 'cumulative', status: 'honest', refused: 'honest' },
    status: 'told',
    chunkStatus: 202,
    chunks: 'equal',
    misplaced: RANGE_ERROR,
    malformedRange: RANGE_ERROR,
    chunkHeaders: { minBytes: 5_242_880, maxBytes: 100_000_000 },
    last: { body: 'lost', range: 'checked' },
    emptyBlob: INTERNAL,
    wrongDigest: INTERNAL,
  },
  blobs: { bytes: 'direct', ranges: false },
  manifests: {
    tellsLocation: true,
    tooLarge: { status: 400, code: 'MANIFEST_INVALID', message: 'manifest is too large' },
    missingBlob: { status: 400, code: 'BLOB_UNKNOWN', message: 'blob is unknown' },
    remove: {
      page: {
        tags: 1000,
        refusal: {
          status: 400,
          code: 'MANIFEST_TAGS',
          message: 'there are more tags to remove, follow the Link header',
        },
      },
    },
  },
  tags: {
    page: 50,
    order: 'sorted',
    link: 'unbracketed',
    empty: '[]',
    badNumber: { status: 400, code: 'PAGINATION_NUMBER_INVALID', message: 'n is not a positive number' },
  },
  referrers: true,
  auth: { scheme: 'basic' },
  bodyLimit: {
    maxBytes: 100_000_000,
    refusal: { status: 413, message: '413 Request Entity Too Large', form: 'html' },
  },
  rates: [],
  evidence: [
    {
      what: 'OCI-Chunk-Min-Length, and OCI-Chunk-Max-Length of its own',
      trust: 'read',
      source: `${SOURCE} src/router.ts, lines 468 to 472; src/chunk.ts`,
    },
    {
      what: 'chunks of one length, a shorter last one, none of one byte',
      trust: 'read',
      source: `${SOURCE} src/registry/r2.ts, uploadChunk`,
    },
    {
      what: 'a wrong digest is 500: R2 compares, and its error is not translated',
      trust: 'read',
      source: `${SOURCE} src/registry/r2.ts`,
    },
    { what: 'a closing PUT loses its body after chunks', trust: 'read', source: `${SOURCE} src/router.ts` },
    {
      what: '`_stateHash`; an old one is 416 RANGE_ERROR, none or no session is 500',
      trust: 'read',
      source: `${SOURCE} src/errors.ts`,
    },
    { what: 'a blob of no bytes is 500', trust: 'read', source: `${SOURCE} src/registry/r2.ts` },
    { what: 'a Range is answered with the whole blob', trust: 'read', source: `${SOURCE} src/router.ts` },
    {
      what: 'pages of 50 and a Link without brackets',
      trust: 'read',
      source: `${SOURCE} src/router.ts, line 673`,
    },
    {
      what: 'deletion of a digest with more than 1,000 tags in several requests',
      trust: 'read',
      source: `${SOURCE} src/router.ts`,
    },
    {
      what: 'bodies of at most 100 MB',
      trust: 'documented',
      source: 'Cloudflare Workers, limits, free and pro plans',
    },
  ],
};

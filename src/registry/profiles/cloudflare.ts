import { MIB, type ProviderProfile } from './profile.ts';

const ROUTER = 'cloudflare/serverless-registry src/router.ts at 5f97b0e, 2026-06';
const R2 = 'cloudflare/serverless-registry src/registry/r2.ts at 5f97b0e, 2026-06';
const CHUNK = 'cloudflare/serverless-registry src/chunk.ts at 5f97b0e, 2026-06';

export const CLOUDFLARE: ProviderProfile = {
  name: 'cloudflare',
  title: 'Cloudflare serverless-registry',
  hosts: [],
  marks: [{ header: 'oci-chunk-max-length', value: /^100000000$/ }],
  upload: {
    singlePost: { value: false, source: `${ROUTER} (the body of POST ?digest= is ignored)` },
    chunkMinBytes: { value: 5 * MIB, source: `${CHUNK} (all chunks but the last, and all of one length)` },
    chunkMaxBytes: { value: 100_000_000, source: CHUNK },
    bodyMaxBytes: {
      value: 100_000_000,
      source:
        'developers.cloudflare.com/workers/platform/limits/ (request body: 100 MB on Free and Pro, 200 on Business, 500 on Enterprise), 2026-11',
    },
    commitWithLastChunk: { value: false, source: `${R2} (the body of the closing PUT is ignored)` },
  },
  deletion: {
    byTag: { value: true, source: `${ROUTER} (the digest stays)` },
    byDigest: { value: true, source: `${ROUTER} (202; 400 MANIFEST_TAGS asks to go on above 1,000 entries)` },
    blobs: { value: true, source: `${ROUTER} (202)` },
    reclaims: {
      value: 'Space is freed when the operator calls POST /v2/NAME/gc; nothing runs by itself.',
      source: 'cloudflare/serverless-registry README.md at 5f97b0e, 2026-06',
    },
  },
  tags: { immutability: { value: 'never', source: `${R2} (no such setting)` } },
  rates: [],
  remarks: [
    {
      value: 'Requests for a range of a blob are answered with the whole blob.',
      source: `${ROUTER} (GET blob)`,
    },
    { value: 'Tag lists come in pages of 50, with a Link header without angle brackets.', source: ROUTER },
    { value: 'A blob has at most 10,000 chunks.', source: R2 },
  ],
};

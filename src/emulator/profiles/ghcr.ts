import type { EmulatorProfile, Refusal } from './profile.ts';
import {
  BLOB_UNKNOWN_IN_MANIFEST,
  MANIFEST_TOO_LARGE,
  NAME_UNKNOWN,
  UNSUPPORTED,
  UPLOAD_UNKNOWN,
} from './refusals.ts';

const MIB = 1024 * 1024;

const TOO_LARGE: Refusal = {
  status: 416,
  code: 'REQUESTED_RANGE_NOT_SATISFIABLE',
  message: 'the request body is too large and exceeds the maximum permissible limit of 4.00MiB',
};

/** The delay is in the message, and often far below a millisecond. */
const THROTTLED: Refusal = {
  status: 429,
  code: 'TOOMANYREQUESTS',
  message: 'retry-after: {wait}, allowed: {allowed}',
};

export const ghcr: EmulatorProfile = {
  name: 'ghcr',
  title: 'GitHub Container Registry',
  upload: {
    singlePost: 'ignored',
    location: 'relative',
    state: 'opaque',
    unknown: UPLOAD_UNKNOWN,
    range: { opened: 'cumulative', chunk: 'cumulative', status: 'cumulative', refused: 'cumulative' },
    status: 'told',
    chunkStatus: 202,
    chunks: 'checked',
    misplaced: { status: 416, code: 'RANGE_INVALID', message: 'invalid content range' },
    malformedRange: { status: 400, code: 'BLOB_UPLOAD_INVALID', message: 'invalid content range' },
    rangedBody: { maxBytes: 4 * MIB, refusal: TOO_LARGE },
    last: { body: 'appended', range: 'checked', rangedWhole: TOO_LARGE },
  },
  blobs: { bytes: 307, ranges: true, delete: UNSUPPORTED },
  manifests: {
    tellsLocation: true,
    tooLarge: MANIFEST_TOO_LARGE,
    missingBlob: BLOB_UNKNOWN_IN_MANIFEST,
    remove: { tag: UNSUPPORTED, digest: UNSUPPORTED },
  },
  tags: {
    page: 100,
    maxPage: { tags: 1000 },
    order: 'sorted',
    link: 'relative',
    empty: '[]',
    unknown: NAME_UNKNOWN,
  },
  referrers: false,
  auth: { scheme: 'bearer', service: 'ghcr.io', tokenPath: '/token', tokenLifeMs: 300_000, showsLife: false },
  rates: [
    {
      kinds: ['upload-start'],
      requests: 2000,
      perMs: 60_000,
      refusal: THROTTLED,
      source: 'crust-gather issue 461: 2,000 uploads a minute for each token',
    },
    {
      kinds: 'all',
      requests: 44_000,
      perMs: 60_000,
      refusal: THROTTLED,
      source: 'dependabot/cli issue 380; falcosecurity/plugins issue 1069',
    },
  ],
  evidence: [
    {
      what: 'a PATCH with Content-Range over 4 MiB is 416 with the limit in its message',
      trust: 'reported',
      source: 'rust-oci-client issue 35; ocx pull request 237 (2026-07)',
    },
    {
      what: 'without Content-Range one PATCH may carry the whole blob',
      trust: 'reported',
      source: 'go-containerregistry pull request 1781',
    },
    {
      what: 'Content-Range on a whole blob in one PUT is refused',
      trust: 'reported',
      source: 'tart pull request 179; chalk src/docker/registry.nim',
    },
    { what: 'nothing can be deleted over this protocol', trust: 'reported', source: 'skopeo issue 1880' },
    { what: 'no referrers', trust: 'reported', source: 'GitHub community discussions 163029 and 208530' },
    {
      what: 'the token answer names no lifetime; 300 s is a guess',
      trust: 'reported',
      source: 'ghcr.io/token',
    },
    { what: 'form of the Location, page size of tag lists', trust: 'inferred', source: 'distribution' },
  ],
};

export const ghcrStale: EmulatorProfile = {
  ...ghcr,
  name: 'ghcr-stale',
  title: 'GitHub Container Registry with reads that lag behind',
  variantOf: 'ghcr',
  manifests: { ...ghcr.manifests, staleReads: 2 },
  evidence: [
    ...ghcr.evidence,
    {
      what: 'a tag is not found for a while after its PUT; counted in reads here, within two seconds, so that tests are exact',
      trust: 'reported',
      source: 'pithead issue 429; konk issue 626',
    },
  ],
};

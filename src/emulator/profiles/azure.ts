import type { EmulatorProfile } from './profile.ts';
import {
  BLOB_UNKNOWN_IN_MANIFEST,
  NAME_UNKNOWN,
  TOO_MANY_REQUESTS,
  UNSUPPORTED,
  UPLOAD_UNKNOWN,
} from './refusals.ts';

const TRACE = 'oci-conformance distribution-spec/v1.1/azurecontainerregistry/report.html (2024-06)';
const TIERS = 'Azure Container Registry service tiers, ReadOps and WriteOps of Basic';

export const acr: EmulatorProfile = {
  name: 'acr',
  title: 'Azure Container Registry',
  upload: {
    singlePost: 'stored',
    location: 'relative',
    state: 'opaque',
    unknown: UPLOAD_UNKNOWN,
    range: { opened: 'cumulative', chunk: 'cumulative', status: 'cumulative', refused: 'cumulative' },
    status: 'told',
    chunkStatus: 202,
    chunks: 'checked',
    misplaced: { status: 416, code: 'BLOB_UPLOAD_RANGE_INVALID', message: 'invalid content range' },
    misplacedAgain: { status: 416, message: '', form: 'bare' },
    malformedRange: {
      status: 400,
      code: 'BLOB_UPLOAD_INVALID',
      message: 'the Content-Range header format is invalid',
    },
    chunkedRange: {
      status: 400,
      code: 'CONTENT_LENGTH_INVALID',
      message: 'the Content-Length header is invalid',
    },
    wrongLength: {
      status: 400,
      code: 'SIZE_INVALID',
      message: 'provided length did not match content length',
    },
    last: {
      body: 'appended',
      range: 'checked',
      maxBytes: {
        bytes: 20_000_000,
        refusal: { status: 413, message: '413 Request Entity Too Large', form: 'html' },
      },
    },
  },
  blobs: { bytes: 307, ranges: true },
  manifests: {
    tellsLocation: true,
    tooLarge: { status: 413, code: 'SIZE_INVALID', message: 'manifest exceeds 4 MiB' },
    missingBlob: BLOB_UNKNOWN_IN_MANIFEST,
    remove: { tag: UNSUPPORTED },
  },
  tags: {
    page: 100,
    maxPage: { tags: 1000 },
    order: 'sorted',
    link: 'relative',
    empty: 'null',
    unknown: NAME_UNKNOWN,
    emptied: NAME_UNKNOWN,
  },
  referrers: true,
  auth: {
    scheme: 'bearer',
    service: 'me.azurecr.io',
    tokenPath: '/oauth2/token',
    tokenLifeMs: 75 * 60_000,
    showsLife: false,
    field: 'access_token',
    scopes: 'metadata-read',
  },
  headers: { 'X-Ms-Ratelimit-Remaining-Calls-Per-Second': '333.3' },
  rates: [
    { kinds: 'writes', requests: 100, perMs: 60_000, burst: 100, refusal: TOO_MANY_REQUESTS, source: TIERS },
    {
      kinds: ['manifest-read', 'blob-check', 'blob-read', 'other'],
      requests: 1000,
      perMs: 60_000,
      burst: 1000,
      refusal: TOO_MANY_REQUESTS,
      source: TIERS,
    },
  ],
  evidence: [
    { what: 'POST with a digest stores the blob', trust: 'recorded', source: TRACE },
    {
      what: 'first chunk out of order is 416 BLOB_UPLOAD_RANGE_INVALID, later ones are 416 with no body',
      trust: 'recorded',
      source: TRACE,
    },
    {
      what: 'a PUT above some 20 MB is 413; it may depend on the tier',
      trust: 'reported',
      source: 'goharbor/harbor issue 23015 and pull request 23016 (2026)',
    },
    {
      what: 'Content-Range with a body of unknown length is 400',
      trust: 'reported',
      source: 'goharbor/harbor issue 23015',
    },
    { what: 'deletion by tag is 405, by digest 202, blobs too', trust: 'recorded', source: TRACE },
    { what: 'tag list 404 once the last manifest is deleted', trust: 'recorded', source: TRACE },
    {
      what: 'scopes `metadata_read` and `delete`, an answer of `access_token` alone',
      trust: 'recorded',
      source: TRACE,
    },
    { what: 'page size of tag lists', trust: 'inferred', source: 'no source found' },
  ],
};

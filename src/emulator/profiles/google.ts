import type { EmulatorProfile } from './profile.ts';
import {
  BLOB_UNKNOWN_IN_MANIFEST,
  MANIFEST_TOO_LARGE,
  NAME_UNKNOWN,
  TOO_MANY_REQUESTS,
  UPLOAD_UNKNOWN,
} from './refusals.ts';

const QUOTAS = 'Google Artifact Registry, quotas and limits';

export const gar: EmulatorProfile = {
  name: 'gar',
  title: 'Google Artifact Registry',
  upload: {
    singlePost: 'ignored',
    location: 'relative',
    state: 'none',
    unknown: UPLOAD_UNKNOWN,
    range: { opened: 'none', chunk: 'cumulative', status: 'cumulative', refused: 'none' },
    status: 'told',
    chunkStatus: 202,
    chunks: 'single',
    misplaced: { status: 400, code: 'BLOB_UPLOAD_INVALID', message: 'Chunked uploads are not supported' },
    malformedRange: {
      status: 400,
      code: 'BLOB_UPLOAD_INVALID',
      message: 'Chunked uploads are not supported',
    },
    secondChunk: { status: 400, code: 'BLOB_UPLOAD_INVALID', message: 'Chunked uploads are not supported' },
    last: { body: 'appended', range: 'checked' },
  },
  blobs: { bytes: 307, ranges: true },
  manifests: {
    tellsLocation: true,
    tooLarge: MANIFEST_TOO_LARGE,
    missingBlob: BLOB_UNKNOWN_IN_MANIFEST,
    remove: {
      digestWhileTagged: {
        status: 400,
        code: 'GOOGLE_MANIFEST_DANGLING_TAG',
        message: 'Manifest is still referenced by one or more tags',
      },
    },
  },
  tags: {
    page: 10_000,
    maxPage: { tags: 10_000 },
    order: 'sorted',
    link: 'absolute',
    empty: '[]',
    unknown: NAME_UNKNOWN,
  },
  referrers: true,
  auth: {
    scheme: 'bearer',
    service: 'europe-docker.pkg.dev',
    tokenPath: '/v2/token',
    tokenLifeMs: 3_600_000,
    post: 404,
    field: 'both',
  },
  rates: [
    {
      kinds: 'all',
      requests: 60_000,
      perMs: 60_000,
      refusal: TOO_MANY_REQUESTS,
      source: QUOTAS,
    },
    { kinds: 'writes', requests: 18_000, perMs: 60_000, refusal: TOO_MANY_REQUESTS, source: QUOTAS },
  ],
  evidence: [
    {
      what: 'chunked uploads are not supported; one PATCH without Content-Range is. The answer to a second one is a guess',
      trust: 'documented',
      source:
        'Artifact Registry, pushing and pulling images; dotnet/sdk-container-builds issue 287; skopeo issue 1101',
    },
    {
      what: 'a manifest cannot be deleted by digest while it is tagged; tags can',
      trust: 'reported',
      source: 'genuinetools/reg issue 136; kube-image-keeper issue 636',
    },
    {
      what: 'POST to the token service is 404',
      trust: 'reported',
      source: 'containerd core/remotes/docker/authorizer.go',
    },
    { what: 'pages of 10,000 tags', trust: 'reported', source: 'go-containerregistry pull request 1645' },
    {
      what: 'referrers',
      trust: 'documented',
      source: 'Artifact Registry, Docker API reference: distribution spec 1.1',
    },
    {
      what: 'Location, Range and redirect',
      trust: 'inferred',
      source: 'what clients take without complaint',
    },
  ],
};

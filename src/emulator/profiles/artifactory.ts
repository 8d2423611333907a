import type { EmulatorProfile } from './profile.ts';
import {
  BLOB_UNKNOWN_IN_MANIFEST,
  MANIFEST_TOO_LARGE,
  NAME_UNKNOWN,
  UNSUPPORTED,
  UPLOAD_UNKNOWN,
} from './refusals.ts';

const TRACE = 'oci-conformance distribution-spec/v1.1/artifactory/report.html (version 7.90)';

export const artifactory: EmulatorProfile = {
  name: 'artifactory',
  title: 'JFrog Artifactory',
  upload: {
    singlePost: 'stored',
    location: 'http',
    state: 'none',
    unknown: UPLOAD_UNKNOWN,
    range: { opened: 'none', chunk: 'stretch', status: 'cumulative', refused: 'none' },
    status: 'told',
    chunkStatus: 202,
    chunks: 'checked',
    misplaced: { status: 416, message: 'Requested range not satisfiable', form: 'status' },
    malformedRange: { status: 416, message: 'Requested range not satisfiable', form: 'status' },
    last: { body: 'appended', range: 'checked' },
  },
  blobs: { bytes: 'direct', ranges: true, delete: UNSUPPORTED },
  manifests: {
    tellsLocation: true,
    tooLarge: MANIFEST_TOO_LARGE,
    missingBlob: BLOB_UNKNOWN_IN_MANIFEST,
    remove: {},
  },
  tags: {
    page: 'all',
    order: 'sorted',
    link: 'relative',
    empty: '[]',
    unknown: NAME_UNKNOWN,
    emptied: NAME_UNKNOWN,
    listsDigests: true,
  },
  referrers: true,
  auth: {
    scheme: 'both',
    service: 'artifactory',
    tokenPath: '/v2/token',
    tokenLifeMs: 3_600_000,
    post: 401,
    scopes: 'without-first-part',
  },
  rates: [],
  evidence: [
    { what: 'POST with a digest stores the blob', trust: 'recorded', source: TRACE },
    {
      what: 'Range of a chunk starts where the chunk does: `22-41`; none on POST',
      trust: 'recorded',
      source: TRACE,
    },
    { what: 'a chunk out of order is 416 with an error that has no code', trust: 'recorded', source: TRACE },
    {
      what: 'Location with http:// in front of TLS',
      trust: 'documented',
      source: 'JFrog, HTTP settings, custom base URL',
    },
    { what: 'blobs cannot be deleted; tags and digests can', trust: 'recorded', source: TRACE },
    { what: 'Basic and Bearer are both offered', trust: 'recorded', source: TRACE },
    { what: 'digests among the tags', trust: 'reported', source: 'skopeo issue 2346' },
    {
      what: 'POST to the token service is 401',
      trust: 'reported',
      source: 'containerd core/remotes/docker/authorizer.go',
    },
  ],
};

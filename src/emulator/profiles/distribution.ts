import type { EmulatorProfile, Refusal, UploadProfile } from './profile.ts';
import {
  BLOB_UNKNOWN_IN_MANIFEST,
  MANIFEST_TOO_LARGE,
  NAME_UNKNOWN,
  UNSUPPORTED,
  UPLOAD_UNKNOWN,
} from './refusals.ts';

const UPLOAD_INVALID: Refusal = {
  status: 404,
  code: 'BLOB_UPLOAD_INVALID',
  message: 'blob upload invalid',
};

const WRONG_TYPE: Refusal = { status: 500, code: 'UNKNOWN', message: 'unknown error' };

const DIGEST_INVALID: Refusal = {
  status: 400,
  code: 'DIGEST_INVALID',
  message: 'provided digest did not match uploaded content',
};

const ACCEPT: Refusal = {
  status: 404,
  code: 'MANIFEST_UNKNOWN',
  message: 'OCI manifest found, but accept header does not support OCI manifests',
};

/** What versions 2 and 3, and what is built on them, have in common. */
const uploads: UploadProfile = {
  singlePost: 'ignored',
  location: 'absolute',
  state: 'sealed',
  unknown: UPLOAD_UNKNOWN,
  stale: UPLOAD_INVALID,
  range: { opened: 'cumulative', chunk: 'cumulative', status: 'cumulative', refused: 'none' },
  status: 'told',
  chunkStatus: 202,
  chunks: 'ignored',
  misplaced: { status: 416, code: 'RANGE_INVALID', message: 'invalid content range' },
  malformedRange: WRONG_TYPE,
  contentType: WRONG_TYPE,
  last: { body: 'appended', range: 'ignored' },
};

/** CNCF distribution 2.8, with `storage.delete.enabled`. */
export const registry2: EmulatorProfile = {
  name: 'registry2',
  title: 'CNCF distribution 2.8',
  upload: uploads,
  blobs: { bytes: 'direct', ranges: true },
  manifests: {
    tellsLocation: true,
    tooLarge: MANIFEST_TOO_LARGE,
    missingBlob: BLOB_UNKNOWN_IN_MANIFEST,
    accept: ACCEPT,
    remove: { tag: DIGEST_INVALID },
  },
  tags: {
    page: 'all',
    unpaged: true,
    order: 'as-stored',
    link: 'relative',
    empty: 'null',
    unknown: NAME_UNKNOWN,
  },
  referrers: false,
  auth: { scheme: 'basic' },
  headers: { 'Docker-Distribution-Api-Version': 'registry/2.0' },
  rates: [],
  evidence: [
    {
      what: 'POST with a digest opens a session and drops the body',
      trust: 'observed',
      source: 'distribution v2.8.3 registry/handlers/blobupload.go; distribution issue 1170',
    },
    {
      what: '`_state` holds the offset; one that is not the newest is 404. Whether it ends the session depends on the storage: not on a local disk',
      trust: 'observed',
      source: 'distribution 2.8.2; v2.8.3 registry/handlers/blobupload.go, lines 38 to 85',
    },
    {
      what: 'Content-Range is not read: each chunk is appended',
      trust: 'observed',
      source: 'distribution v2.8.3 registry/handlers/blobupload.go, line 180',
    },
    {
      what: 'tag lists have no pages, and are `null` when empty',
      trust: 'observed',
      source: 'distribution v2.8.3 registry/handlers/tags.go',
    },
    {
      what: 'deletion by tag is 400 DIGEST_INVALID',
      trust: 'observed',
      source: 'distribution 2.8.2; pull request 3174 makes it 405 in version 3',
    },
  ],
};

/** The same as it starts without a configuration: nothing can be deleted. */
export const registry2NoDelete: EmulatorProfile = {
  ...registry2,
  name: 'registry2-nodelete',
  title: 'CNCF distribution 2.8, as it starts by default',
  variantOf: 'registry2',
  blobs: { ...registry2.blobs, delete: UNSUPPORTED },
  manifests: { ...registry2.manifests, remove: { tag: UNSUPPORTED, digest: UNSUPPORTED } },
  evidence: [
    ...registry2.evidence,
    {
      what: 'deletion by digest and of blobs is 405 unless `storage.delete.enabled`',
      trust: 'observed',
      source: 'distribution docs/configuration.md, "delete"',
    },
  ],
};

/** CNCF distribution 3, with `storage.delete.enabled`. */
export const distribution3: EmulatorProfile = {
  ...registry2,
  name: 'distribution3',
  title: 'CNCF distribution 3',
  upload: {
    ...uploads,
    state: 'sealed-late',
    stale: { status: 416, code: 'RANGE_INVALID', message: 'invalid content range' },
    forged: UPLOAD_INVALID,
    chunks: 'checked',
    rangeNeedsLength: true,
    wrongLength: {
      status: 400,
      code: 'SIZE_INVALID',
      message: 'provided length did not match content length',
    },
  },
  manifests: { ...registry2.manifests, remove: {} },
  tags: {
    page: 'all',
    maxPage: { tags: 1000 },
    order: 'sorted',
    link: 'relative',
    empty: 'null',
    unknown: NAME_UNKNOWN,
    badNumber: {
      status: 400,
      code: 'PAGINATION_NUMBER_INVALID',
      message: 'invalid number of results requested',
    },
  },
  evidence: [
    {
      what: 'a chunk out of order is 416 without Location and Range; the session stays',
      trust: 'observed',
      source: 'distribution v3.1.1 registry/handlers/blobupload.go, lines 145 to 166',
    },
    {
      what: 'GET tells where a session is, whatever the `_state`',
      trust: 'observed',
      source: 'distribution v3.1.1 registry/handlers/blobupload.go, lines 39 to 42 and 107 to 129',
    },
    {
      what: 'the Content-Range of a closing PUT is not read',
      trust: 'observed',
      source:
        'distribution v3.1.1 registry/handlers/blobupload.go, lines 221 to 248; distribution-spec issue 590',
    },
    {
      what: 'sorted pages, `n` cut down to 1,000',
      trust: 'observed',
      source: 'distribution v3.1.1 registry/handlers/tags.go',
    },
    {
      what: 'deletion by tag takes the tag alone',
      trust: 'observed',
      source: 'distribution v3.1.1 registry/handlers/manifests.go',
    },
  ],
};

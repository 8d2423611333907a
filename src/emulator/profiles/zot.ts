import type { EmulatorProfile, Refusal } from './profile.ts';
import { NAME_UNKNOWN, UPLOAD_UNKNOWN } from './refusals.ts';

const SOURCE = 'project-zot/zot 6d19b445 (2026-08-21) pkg/api/routes.go';
const RANGE: Refusal = { status: 416, code: 'BLOB_UPLOAD_INVALID', message: 'blob upload invalid' };
const BARE_RANGE: Refusal = { status: 416, message: '', form: 'bare' };
const DENIED: Refusal = {
  status: 405,
  code: 'DENIED',
  message: 'requested access to the resource is denied',
};

/** zot up to 2.1.16; 2.1.17 writes `0-0` for an empty session. */
export const zot: EmulatorProfile = {
  name: 'zot',
  title: 'zot',
  upload: {
    singlePost: 'strict',
    mount: { withoutDigest: { status: 405, message: '', form: 'bare' } },
    location: 'relative',
    state: 'none',
    unknown: UPLOAD_UNKNOWN,
    range: { opened: 'cumulative', chunk: 'request', status: 'honest', refused: 'none' },
    status: 'told',
    chunkStatus: 202,
    chunks: 'checked',
    rangeNeedsLength: true,
    misplaced: RANGE,
    malformedRange: BARE_RANGE,
    wrongLength: BARE_RANGE,
    last: { body: 'declared', range: 'checked' },
    endsWhenCut: true,
  },
  blobs: { bytes: 'direct', ranges: true, deleteReferenced: DENIED },
  manifests: {
    tellsLocation: true,
    setsTagsByQuery: true,
    tooLarge: { status: 413, code: 'MANIFEST_INVALID', message: 'manifest invalid' },
    missingBlob: { status: 400, code: 'BLOB_UNKNOWN', message: 'blob unknown to registry' },
    remove: {
      digestOfSeveralTags: { status: 409, code: 'MANIFEST_INVALID', message: 'manifest invalid' },
      referenced: DENIED,
      unknownRepository: {
        status: 400,
        code: 'NAME_UNKNOWN',
        message: 'repository name not known to registry',
      },
    },
  },
  tags: {
    page: 'all',
    order: 'sorted',
    link: 'relative',
    empty: '[]',
    unknown: NAME_UNKNOWN,
    lastMissing: NAME_UNKNOWN,
  },
  referrers: true,
  auth: { scheme: 'basic' },
  rates: [
    {
      kinds: 'all',
      requests: 6000,
      perMs: 60_000,
      refusal: { status: 429, message: 'You have reached maximum request limit.', form: 'text' },
      source: 'pkg/api/session.go; off by default, the figure is ours',
    },
  ],
  evidence: [
    {
      what: 'POST with a digest: 415 unless octets, 400 without a length',
      trust: 'observed',
      source: SOURCE,
    },
    {
      what: '`0--1` for an empty session',
      trust: 'read',
      source: 'zot 2.1.11 pkg/api/routes.go, line 1477; mended in 2.1.17 by pull request 3983',
    },
    {
      what: 'Range of a chunk counts that request alone',
      trust: 'reported',
      source: 'regclient issue 961 (2025-07)',
    },
    { what: 'a body that breaks off ends the session', trust: 'observed', source: `${SOURCE}, line 2078` },
    {
      what: 'a PUT without length and range loses its body',
      trust: 'observed',
      source: `${SOURCE}, lines 2150 to 2200`,
    },
    { what: 'a page behind a tag that is gone is 404', trust: 'observed', source: SOURCE },
    {
      what: 'the digest of several tags is 409 for users without that right',
      trust: 'read',
      source: `${SOURCE}, line 985`,
    },
    {
      what: 'blobs and manifests that are referenced are 405 DENIED',
      trust: 'observed',
      source: `${SOURCE}, line 1710`,
    },
  ],
};

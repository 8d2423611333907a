import type { EmulatorProfile, Refusal } from './profile.ts';
import {
  BLOB_UNKNOWN_IN_MANIFEST,
  MANIFEST_TOO_LARGE,
  NAME_UNKNOWN,
  UNSUPPORTED,
  UPLOAD_UNKNOWN,
} from './refusals.ts';

const API = 'docker/docs content/reference/api/registry/latest.yaml';

const PULL_LIMIT: Refusal = {
  status: 429,
  code: 'TOOMANYREQUESTS',
  message:
    'You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit',
  headers: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' },
};

export const dockerhub: EmulatorProfile = {
  name: 'dockerhub',
  title: 'Docker Hub',
  upload: {
    singlePost: 'ignored',
    location: 'relative',
    state: 'opaque',
    unknown: UPLOAD_UNKNOWN,
    range: { opened: 'cumulative', chunk: 'cumulative', status: 'cumulative', refused: 'cumulative' },
    status: 'told',
    chunkStatus: 202,
    chunks: 'checked',
    misplaced: { status: 416, code: 'BLOB_UPLOAD_INVALID', message: 'invalid content range' },
    malformedRange: { status: 400, code: 'BLOB_UPLOAD_INVALID', message: 'invalid content range' },
    last: { body: 'appended', range: 'checked' },
  },
  blobs: { bytes: 307, ranges: true, delete: UNSUPPORTED },
  manifests: {
    tellsLocation: true,
    tooLarge: MANIFEST_TOO_LARGE,
    missingBlob: BLOB_UNKNOWN_IN_MANIFEST,
    remove: {
      tag: UNSUPPORTED,
      digestWhileTagged: { status: 403, code: 'DENIED', message: 'the manifest is still tagged' },
    },
  },
  tags: {
    page: 'all',
    maxPage: { tags: 1000 },
    order: 'sorted',
    link: 'relative',
    empty: '[]',
    unknown: NAME_UNKNOWN,
  },
  referrers: false,
  auth: {
    scheme: 'bearer',
    service: 'registry.docker.io',
    tokenPath: '/token',
    tokenLifeMs: 300_000,
    field: 'both',
  },
  rates: [
    {
      kinds: ['manifest-read'],
      requests: 100,
      perMs: 6 * 3_600_000,
      burst: 100,
      refusal: PULL_LIMIT,
      source: 'docker/docs manuals/docker-hub/usage: 100 pulls in 6 hours without an account',
    },
    {
      kinds: 'all',
      requests: 5000,
      perMs: 60_000,
      refusal: { status: 429, message: '429 Too Many Requests', form: 'text' },
      source:
        'docker/docs manuals/docker-hub/usage: "abuse" limit, thousands a minute; the figure is a guess',
    },
  ],
  evidence: [
    { what: 'sessions: relative Location, GET tells, 416 out of order', trust: 'documented', source: API },
    { what: 'a tag cannot be deleted', trust: 'reported', source: 'docker/hub-feedback issue 2360' },
    { what: '403 for the digest of what is tagged or referenced', trust: 'documented', source: API },
    { what: 'tokens live 300 s', trust: 'reported', source: 'auth.docker.io; buildx issue 324' },
    { what: 'no referrers', trust: 'reported', source: 'docker/roadmap issue 724' },
    {
      what: 'POST with a digest, blob deletion, page size of tag lists',
      trust: 'inferred',
      source: 'no source found',
    },
  ],
};

import { distribution3 } from './distribution.ts';
import type { EmulatorProfile } from './profile.ts';
import { NAME_UNKNOWN } from './refusals.ts';

const TRACE = 'oci-conformance distribution-spec/v1.0/gitlab/report.html';

export const gitlab: EmulatorProfile = {
  ...distribution3,
  name: 'gitlab',
  title: 'GitLab',
  upload: {
    ...distribution3.upload,
    misplaced: { status: 416, code: 'CONTENT_RANGE_INVALID', message: 'invalid content range' },
    stale: { status: 416, code: 'CONTENT_RANGE_INVALID', message: 'invalid content range' },
    last: { body: 'appended', range: 'checked' },
  },
  blobs: { bytes: 307, ranges: true },
  tags: {
    page: 100,
    maxPage: { tags: 1000 },
    order: 'sorted',
    link: 'relative',
    empty: '[]',
    unknown: NAME_UNKNOWN,
  },
  auth: {
    scheme: 'bearer',
    service: 'container_registry',
    tokenPath: '/jwt/auth',
    tokenLifeMs: 5 * 60_000,
    showsLife: false,
    post: 404,
    scopes: 'two-in-one',
  },
  rates: [],
  evidence: [
    { what: 'POST with a digest is 202', trust: 'recorded', source: TRACE },
    { what: 'a chunk out of order is 416 CONTENT_RANGE_INVALID', trust: 'recorded', source: TRACE },
    { what: 'the last chunk may be in the PUT', trust: 'recorded', source: TRACE },
    { what: 'tags, digests and blobs can be deleted', trust: 'recorded', source: TRACE },
    { what: 'two scopes in one string', trust: 'recorded', source: TRACE },
    { what: 'tokens live 5 min', trust: 'documented', source: 'GitLab container registry administration' },
    { what: 'no referrers', trust: 'reported', source: 'gitlab-org/container-registry issue 1205' },
    { what: '`_state` as in distribution 3', trust: 'inferred', source: 'it is a fork of distribution' },
  ],
};

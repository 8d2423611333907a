import type { ProviderProfile } from './profile.ts';

const TRACE = 'opencontainers/oci-conformance distribution-spec/v1.0/gitlab/report.html, 2026-11';

export const GITLAB: ProviderProfile = {
  name: 'gitlab',
  title: 'GitLab container registry',
  hosts: [/^registry\.gitlab\.com(?::443)?$/],
  marks: [
    { header: 'gitlab-container-registry-version', value: /./ },
    { header: 'www-authenticate', value: /realm="[^"]*\/jwt\/auth"/ },
  ],
  upload: {
    singlePost: { value: false, source: `${TRACE} (POST ?digest= is answered 202)` },
  },
  deletion: {
    byTag: { value: true, source: `${TRACE} (202)` },
    byDigest: { value: true, source: `${TRACE} (202)` },
    blobs: { value: true, source: `${TRACE} (202)` },
    reclaims: {
      value:
        'GitLab.com frees the bytes by itself, a day or more after the last manifest is gone; a self-managed registry without the metadata database when its operator collects garbage.',
      source:
        'gitlab.com/gitlab-org/container-registry docs/spec/gitlab/online-garbage-collection.md, 2026-11',
    },
  },
  tags: {
    immutability: {
      value: 'configurable',
      source: 'docs.gitlab.com/user/packages/container_registry/immutable_container_tags/, 2026-11',
    },
  },
  rates: [],
  remarks: [
    {
      value:
        'A token lives for 5 minutes by default, on GitLab.com for 15; it is renewed while a backup runs.',
      source: 'gitlab-org/gitlab issues 17890, 19867; merge request 86884, 2026-11',
    },
    {
      value: 'Blobs above 10 GB have failed with storage in S3.',
      source: 'gitlab-org/container-registry issue 1062, 2026-11',
    },
    {
      value: 'The referrers API is not served.',
      source: 'gitlab-org/container-registry issue 1205, 2026-11',
    },
  ],
};

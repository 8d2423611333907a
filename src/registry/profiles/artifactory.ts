import type { ProviderProfile } from './profile.ts';

const TRACE = 'opencontainers/oci-conformance distribution-spec/v1.1/artifactory/report.html (7.90), 2024';

export const ARTIFACTORY: ProviderProfile = {
  name: 'artifactory',
  title: 'JFrog Artifactory',
  hosts: [/^[a-z0-9-]+\.jfrog\.io(?::443)?$/],
  marks: [
    { header: 'x-jfrog-version', value: /^artifactory/i },
    { header: 'x-artifactory-id', value: /./ },
    { header: 'server', value: /^artifactory\b/i },
  ],
  upload: {
    singlePost: { value: true, source: `${TRACE} (POST ?digest= is answered 201)` },
  },
  deletion: {
    byTag: { value: true, source: `${TRACE} (202)` },
    byDigest: { value: true, source: `${TRACE} (202)` },
    blobs: { value: false, source: `${TRACE} (405)` },
    reclaims: {
      value:
        'Artifactory frees the bytes at its next garbage collection of the storage, every four hours by default.',
      source: 'jfrog.com/help/r/jfrog-artifactory-documentation/garbage-collection, 2026-11',
    },
  },
  tags: {},
  rates: [],
  remarks: [
    {
      value:
        'The Location of an upload is made from the configured base URL, which is wrong behind a proxy until that is set.',
      source: 'jfrog.com/help/r/jfrog-artifactory-documentation/http-settings, 2026-11',
    },
    {
      value: 'Digests may be listed among the tags.',
      source: 'containers/skopeo#2346, 2026-11',
    },
    {
      value: 'Chunks have been answered with 404 now and then; such an upload is started over.',
      source: 'GoogleContainerTools/jib#3399, 2026-11',
    },
  ],
};

import type { ProviderProfile } from './profile.ts';

const PUSHING = 'cloud.google.com/artifact-registry/docs/docker/pushing-and-pulling#pushing, 2026-11';
const QUOTAS = 'cloud.google.com/artifact-registry/quotas, 2026-11';

export const GAR: ProviderProfile = {
  name: 'gar',
  title: 'Google Artifact Registry',
  hosts: [/^[a-z0-9-]+-docker\.pkg\.dev(?::443)?$/, /^(?:[a-z]+\.)?gcr\.io(?::443)?$/],
  marks: [],
  upload: {
    mode: { value: 'monolithic', source: `${PUSHING} ("You must use monolithic uploads")` },
    chunks: { value: false, source: `${PUSHING}; dotnet/sdk-container-builds#287; containers/skopeo#1101` },
  },
  deletion: {
    byTag: { value: true, source: 'genuinetools/reg#136; enix/kube-image-keeper#636, 2026-11' },
    byDigest: { value: true, source: 'genuinetools/reg#136; enix/kube-image-keeper#636, 2026-11' },
    whileTagged: {
      value: false,
      source: 'genuinetools/reg#136 (400 GOOGLE_MANIFEST_DANGLING_TAG), 2026-11',
    },
    reclaims: {
      value:
        'Google frees the bytes of a deleted version by itself; a version that only lost its tag stays and is billed until it is deleted or a cleanup policy takes it.',
      source: 'cloud.google.com/artifact-registry/docs/repositories/cleanup-policy, 2026-11',
    },
  },
  tags: {
    immutability: {
      value: 'configurable',
      source: 'cloud.google.com/artifact-registry/docs/docker/manage-images#immutable-tags, 2026-11',
    },
  },
  rates: [
    {
      value: {
        kinds: ['upload-start', 'upload-chunk', 'upload-commit', 'manifest-write'],
        perSecond: 300,
        burst: 300,
      },
      source: `${QUOTAS} (18,000 writes a minute, per project and region)`,
    },
    {
      value: { kinds: ['manifest-delete', 'blob-delete'], perSecond: 300, burst: 300 },
      source: `${QUOTAS} (18,000 deletions a minute)`,
    },
  ],
  remarks: [
    { value: 'All requests together: 60,000 a minute, per project and region.', source: QUOTAS },
    {
      value: 'One read delivers at most 9.9 GB.',
      source: `${QUOTAS} (size of a request)`,
    },
    {
      value: 'The repository has to exist before the first write; names below it need not.',
      source: 'cloud.google.com/artifact-registry/docs/repositories/create-repos, 2026-11',
    },
  ],
};

import { MIB, type ProviderProfile } from './profile.ts';

const UPLOAD = 'distribution/distribution registry/handlers/blobupload.go v2.8.3, 2023-10';
const MANIFESTS = 'distribution/distribution registry/handlers/manifests.go v2.8.3, 2023-10';

export const REGISTRY2: ProviderProfile = {
  name: 'registry2',
  title: 'CNCF distribution 2 (registry:2)',
  hosts: [],
  marks: [],
  upload: {
    singlePost: { value: false, source: `${UPLOAD} (StartBlobUpload ignores digest=); distribution#1170` },
    chunkStepBytes: {
      value: 10 * MIB,
      source:
        'distribution/distribution registry/storage/driver/s3-aws/s3.go v2.8.3 (chunksize: 10 MiB), 2023-10',
    },
  },
  deletion: {
    byTag: { value: false, source: `${MANIFESTS} (a tag is no digest: DIGEST_INVALID or 405)` },
    reclaims: {
      value:
        'Space is freed when the operator runs `registry garbage-collect` while the registry is stopped or read-only. Deletion itself is off unless it is configured.',
      source: 'distribution.github.io/distribution/about/garbage-collection/, 2026-11',
    },
  },
  tags: { immutability: { value: 'never', source: `${MANIFESTS} (no such setting)` } },
  rates: [],
  remarks: [
    {
      value:
        'Deletion of one object reads the link of every tag of the repository: in large stores that takes its time.',
      source: 'distribution/distribution registry/storage/tagstore.go v2.8.3 (Lookup), 2023-10',
    },
    {
      value:
        '`garbage-collect --delete-untagged` also deletes what only an index names; objects of ours have tags of their own.',
      source: 'distribution/distribution#3178, #3004, 2026-11',
    },
    {
      value:
        'Several instances behind one balancer need the same `http.secret`, else upload sessions get lost.',
      source: 'distribution.github.io/distribution/about/configuration/#http, 2026-11',
    },
  ],
};

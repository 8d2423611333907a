import { MIB, type ProviderProfile } from './profile.ts';

const UPLOAD = 'distribution/distribution registry/handlers/blobupload.go v3.1.1, 2026';
const MANIFESTS = 'distribution/distribution registry/handlers/manifests.go v3.1.1, 2026';

export const REGISTRY3: ProviderProfile = {
  name: 'registry3',
  title: 'CNCF distribution 3 (registry:3)',
  hosts: [],
  marks: [],
  upload: {
    singlePost: { value: false, source: `${UPLOAD} (StartBlobUpload ignores digest=)` },
    chunkStepBytes: {
      value: 10 * MIB,
      source:
        'distribution/distribution registry/storage/driver/s3-aws/s3.go v3.1.1 (chunksize: 10 MiB), 2026',
    },
  },
  deletion: {
    reclaims: {
      value:
        'Space is freed when the operator runs `registry garbage-collect` while the registry is stopped or read-only. Deletion itself is off unless it is configured.',
      source: 'distribution.github.io/distribution/about/garbage-collection/, 2026-11',
    },
  },
  tags: {
    immutability: { value: 'never', source: `${MANIFESTS} (no such setting)` },
    pageSize: {
      value: 1000,
      source: 'distribution/distribution registry/handlers/tags.go v3.1.1 (n is cut down to 1,000), 2026',
    },
  },
  rates: [],
  remarks: [
    {
      value: 'Deletion by digest reads the link of every tag of the repository.',
      source: 'distribution/distribution registry/storage/tagstore.go v3.1.1 (Lookup), 2026',
    },
    {
      value:
        'Several instances behind one balancer need the same `http.secret`, else upload sessions get lost.',
      source: 'distribution.github.io/distribution/about/configuration/#http, 2026-11',
    },
  ],
};

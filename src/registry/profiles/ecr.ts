import { MIB, type ProviderProfile } from './profile.ts';

const QUOTAS = 'docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html, 2026-11';

export const ECR: ProviderProfile = {
  name: 'ecr',
  title: 'Amazon ECR',
  hosts: [
    /^\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.(?:com|com\.cn|eu)(?::443)?$/,
    /^\d{12}\.dkr-ecr(?:-fips)?\.[a-z0-9-]+\.on\.(?:aws|amazonwebservices\.com\.cn)(?::443)?$/,
  ],
  marks: [],
  upload: {
    chunkMinBytes: {
      value: 5 * MIB,
      source:
        'dotnet/sdk-container-builds#424 (LayerPartTooSmallException below it, the last chunk aside), 2026-11',
    },
    chunkStepBytes: {
      value: 10 * MIB,
      source: `${QUOTAS} (the part of a native upload: 10 MiB)`,
    },
    blobMaxBytes: { value: 52_000 * MIB, source: QUOTAS },
    commitWithLastChunk: {
      value: true,
      source:
        'openai/tart#159 (500 on an empty closing PUT); aws/containers-roadmap#2831, 2026-06-24 (201 with the last chunk in it)',
    },
  },
  deletion: {
    byTag: {
      value: false,
      source: 'aws/containers-roadmap#1229 (only DELETE by digest is described there), 2026-11',
    },
    byDigest: { value: true, source: 'aws/containers-roadmap#1229 (shipped), 2026-11' },
    reclaims: {
      value:
        'Amazon ECR frees and stops billing the bytes of a deleted image by itself; an image without tags stays and is billed until it is deleted or a lifecycle policy takes it.',
      source: 'docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html, 2026-11',
    },
  },
  tags: {
    immutability: {
      value: 'configurable',
      source: 'docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html, 2026-11',
    },
    pageSize: {
      value: 1000,
      source: 'google/go-containerregistry#681, #1091 (above it: 405 UNSUPPORTED), 2026-11',
    },
  },
  rates: [
    {
      value: { kinds: ['manifest-write'], perSecond: 10, burst: 10 },
      source: `${QUOTAS} (PutImage, per account and region)`,
    },
    {
      value: { kinds: ['upload-start'], perSecond: 100, burst: 100 },
      source: `${QUOTAS} (InitiateLayerUpload)`,
    },
    {
      value: { kinds: ['upload-commit'], perSecond: 100, burst: 100 },
      source: `${QUOTAS} (CompleteLayerUpload)`,
    },
    {
      value: { kinds: ['upload-chunk'], perSecond: 500, burst: 500 },
      source: `${QUOTAS} (UploadLayerPart)`,
    },
    {
      value: { kinds: ['manifest-read'], perSecond: 2000, burst: 2000 },
      source: `${QUOTAS} (BatchGetImage)`,
    },
    {
      value: { kinds: ['blob-head'], perSecond: 1000, burst: 1000 },
      source: `${QUOTAS} (BatchCheckLayerAvailability)`,
    },
    {
      value: { kinds: ['blob-read'], perSecond: 3000, burst: 3000 },
      source: `${QUOTAS} (GetDownloadUrlForLayer)`,
    },
  ],
  remarks: [
    {
      value: 'The repository has to exist before the first write, unless a creation template makes it.',
      source: 'docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html, 2026-11',
    },
    {
      value:
        'A repository holds at most 100,000 images, and each Kloset object is one; the quota can be raised.',
      source: QUOTAS,
    },
    {
      value: 'An image has at most 500 layers.',
      source: 'openai/tart#890; spinframework/spin#1787; nuonco/nuon#2348, 2026-08',
    },
    {
      value: 'A full quota is answered with 403, as if rights were missing.',
      source: 'aws/containers-roadmap#2159, 2026-11',
    },
    {
      value: 'The Range of an upload session stays at its first chunk, and its status is answered with 404.',
      source: 'aws/containers-roadmap#2831, 2026-06-24; dotnet/sdk#33019, 2026-11',
    },
  ],
};

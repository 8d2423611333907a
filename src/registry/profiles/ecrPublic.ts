import { ECR } from './ecr.ts';
import { MIB, type ProviderProfile } from './profile.ts';

const QUOTAS = 'docs.aws.amazon.com/AmazonECR/latest/public/public-service-quotas.html, 2026-11';

export const ECR_PUBLIC: ProviderProfile = {
  name: 'ecr-public',
  title: 'Amazon ECR Public',
  hosts: [/^(?:public\.ecr\.aws|ecr-public\.aws\.com)(?::443)?$/],
  marks: [],
  upload: { ...ECR.upload, blobMaxBytes: { value: 10_000 * MIB, source: QUOTAS } },
  deletion: {
    ...ECR.deletion,
    reclaims: {
      value:
        'Amazon ECR Public frees the bytes of a deleted image by itself; an image without tags stays until it is deleted.',
      source: 'docs.aws.amazon.com/AmazonECR/latest/public/public-image-deleting.html, 2026-11',
    },
  },
  tags: {
    pageSize: { value: 1000, source: 'google/go-containerregistry#681 (above it: 405 UNSUPPORTED), 2026-11' },
  },
  rates: [
    {
      value: { kinds: ['manifest-write'], perSecond: 10, burst: 10 },
      source: `${QUOTAS} (PutImage)`,
    },
    {
      value: { kinds: ['upload-start'], perSecond: 10, burst: 10 },
      source: `${QUOTAS} (InitiateLayerUpload; an older edition says 200)`,
    },
    {
      value: { kinds: ['upload-commit'], perSecond: 10, burst: 10 },
      source: `${QUOTAS} (CompleteLayerUpload)`,
    },
    {
      value: { kinds: ['upload-chunk'], perSecond: 260, burst: 260 },
      source: `${QUOTAS} (UploadLayerPart)`,
    },
    {
      value: { kinds: ['blob-head'], perSecond: 200, burst: 200 },
      source: `${QUOTAS} (BatchCheckLayerAvailability)`,
    },
  ],
  remarks: [
    {
      value:
        'Everything in it can be read by everyone: a Kloset store there has to be encrypted, which is the default of plakar.',
      source: 'docs.aws.amazon.com/AmazonECR/latest/public/what-is-ecr.html, 2026-11',
    },
    {
      value: 'The repository has to exist before the first write.',
      source: 'docs.aws.amazon.com/AmazonECR/latest/public/docker-push-ecr-image.html, 2026-11',
    },
  ],
};

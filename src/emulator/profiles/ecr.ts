import type { EmulatorProfile, Evidence } from './profile.ts';
import { BLOB_UNKNOWN_IN_MANIFEST, TOO_MANY_REQUESTS, UNSUPPORTED, UPLOAD_UNKNOWN } from './refusals.ts';

const MIB = 1024 * 1024;
const QUOTAS = 'AWS documentation, Amazon ECR service quotas';

const IMMUTABLE: Evidence = {
  what: 'a tag cannot be set again, not even to the same manifest',
  trust: 'reported',
  source: 'buildkit issue 3776; aws/containers-roadmap issues 2179 and 2380',
};

/** Amazon ECR, a private registry. */
export const ecr: EmulatorProfile = {
  name: 'ecr',
  title: 'Amazon ECR',
  repositoryMissing: {
    status: 404,
    code: 'NAME_UNKNOWN',
    message: "The repository with name '{name}' does not exist in the registry with id '123456789012'",
  },
  upload: {
    singlePost: 'ignored',
    location: 'absolute',
    state: 'none',
    unknown: UPLOAD_UNKNOWN,
    range: { opened: 'cumulative', chunk: 'stuck', status: 'stuck', refused: 'none' },
    status: 'not-found',
    chunkStatus: 201,
    chunks: 'checked',
    misplaced: {
      status: 416,
      code: 'BLOB_UPLOAD_INVALID',
      message: 'First byte of the layer part is {start} instead of {expected}',
    },
    malformedRange: { status: 400, code: 'BLOB_UPLOAD_INVALID', message: 'Invalid Content-Range' },
    smallChunk: {
      minBytes: 5 * MIB,
      refusal: {
        status: 400,
        code: 'BLOB_UPLOAD_INVALID',
        message: 'All layer parts except the last part should be at least 5MB',
      },
    },
    last: { body: 'appended', range: 'checked' },
    wrongDigest: {
      status: 400,
      code: 'BLOB_UPLOAD_INVALID',
      message: 'None of the provided layer digests match the calculated digest',
    },
    emptyBlob: {
      status: 400,
      code: 'BLOB_UPLOAD_INVALID',
      message: 'The upload cannot be completed because it does not have any parts',
    },
  },
  blobs: { bytes: 307, ranges: true, delete: UNSUPPORTED },
  manifests: {
    tellsLocation: false,
    tooLarge: { status: 405, code: 'UNSUPPORTED', message: 'Invalid parameter: the manifest is too large' },
    missingBlob: BLOB_UNKNOWN_IN_MANIFEST,
    layers: {
      min: { status: 405, code: 'UNSUPPORTED', message: 'Image has to have at least 1 layer' },
      max: {
        count: 500,
        refusal: {
          status: 405,
          code: 'UNSUPPORTED',
          message: 'Limit on number of layers per image exceeded',
        },
      },
    },
    remove: { tag: UNSUPPORTED },
  },
  tags: {
    page: 100,
    maxPage: {
      tags: 1000,
      refusal: {
        status: 405,
        code: 'UNSUPPORTED',
        message:
          "Invalid parameter at 'maxResults' failed to satisfy constraint: 'must be less than or equal to 1000'",
      },
    },
    order: 'as-stored',
    link: 'absolute',
    token: true,
    contentType: 'text/plain; charset=utf-8',
    empty: 'null',
  },
  referrers: true,
  auth: { scheme: 'basic' },
  quota: { status: 403, code: 'DENIED', message: 'Unauthorized' },
  rates: [
    {
      kinds: ['manifest-write'],
      requests: 10,
      perMs: 1000,
      refusal: TOO_MANY_REQUESTS,
      source: `${QUOTAS}: PutImage`,
    },
    {
      kinds: ['upload-start'],
      requests: 100,
      perMs: 1000,
      refusal: TOO_MANY_REQUESTS,
      source: `${QUOTAS}: InitiateLayerUpload`,
    },
    {
      kinds: ['upload-chunk'],
      requests: 500,
      perMs: 1000,
      refusal: TOO_MANY_REQUESTS,
      source: `${QUOTAS}: UploadLayerPart`,
    },
    {
      kinds: ['upload-commit'],
      requests: 100,
      perMs: 1000,
      refusal: TOO_MANY_REQUESTS,
      source: `${QUOTAS}: CompleteLayerUpload`,
    },
    {
      kinds: ['blob-check'],
      requests: 1000,
      perMs: 1000,
      refusal: TOO_MANY_REQUESTS,
      source: `${QUOTAS}: BatchCheckLayerAvailability`,
    },
  ],
  evidence: [
    {
      what: 'a chunk is answered 201',
      trust: 'reported',
      source: 'tart issue 273; regclient scheme/reg/blob.go; rust-oci-client issue 33',
    },
    {
      what: 'Range stays at the end of the first chunk while the data is stored',
      trust: 'reported',
      source: 'aws/containers-roadmap issue 2831 (2026-06-24)',
    },
    { what: 'GET of an open session is 404', trust: 'reported', source: 'dotnet/sdk issue 33019' },
    {
      what: 'a chunk out of order is 416 with the true offset in its message',
      trust: 'reported',
      source: 'apple/containerization issue 790',
    },
    {
      what: 'chunks below 5 MiB that are not the last; that the closing PUT says so is a guess',
      trust: 'reported',
      source: 'dotnet/sdk-container-builds issue 424; AWS API reference, CompleteLayerUpload',
    },
    {
      what: 'a wrong digest is 400 BLOB_UPLOAD_INVALID',
      trust: 'reported',
      source: 'dotnet/sdk-container-builds issue 424',
    },
    {
      what: 'a blob of no bytes is refused',
      trust: 'reported',
      source: 'devcontainers/cli issue 814; radius issue 7887; aws/containers-roadmap issue 1074',
    },
    {
      what: 'more than 500 layers are 405, and so are none',
      trust: 'reported',
      source: 'tart issue 890; spinframework/spin issue 1787; image-spec issue 1025',
    },
    {
      what: 'tag lists of 100, unsorted, text/plain, n above 1,000 is 405',
      trust: 'reported',
      source: 'go-containerregistry issues 681 and 1091; docker_registry2 issue 34',
    },
    {
      what: 'repositories have to be created first',
      trust: 'documented',
      source: 'AWS documentation, pushing an image to an Amazon ECR private repository',
    },
    {
      what: 'deletion by digest works, by tag it does not',
      trust: 'inferred',
      source: 'aws/containers-roadmap issue 1229, "Shipped", says no more than that it works',
    },
    {
      what: 'a full quota is 403 without a reason',
      trust: 'reported',
      source: 'aws/containers-roadmap issue 2159',
    },
  ],
};

export const ecrImmutable: EmulatorProfile = {
  ...ecr,
  name: 'ecr-immutable',
  title: 'Amazon ECR with immutable tags',
  variantOf: 'ecr',
  manifests: {
    ...ecr.manifests,
    immutable: {
      always: true,
      put: {
        status: 400,
        code: 'TAG_INVALID',
        message:
          "The image tag '{tag}' already exists and cannot be overwritten because the repository is immutable.",
      },
    },
  },
  evidence: [...ecr.evidence, IMMUTABLE],
};

/** As people met it before OCI 1.1 arrived there, with the closing PUT that wants a body. */
export const ecr2023: EmulatorProfile = {
  ...ecr,
  name: 'ecr-2023',
  title: 'Amazon ECR in 2023',
  variantOf: 'ecr',
  upload: {
    ...ecr.upload,
    last: {
      ...ecr.upload.last,
      empty: { status: 500, code: 'UNKNOWN', message: 'unknown error' },
    },
  },
  manifests: {
    ...ecr.manifests,
    artifactType: { status: 405, code: 'UNSUPPORTED', message: 'Invalid JSON syntax' },
  },
  referrers: false,
  evidence: [
    ...ecr.evidence,
    {
      what: 'a closing PUT without a body is 500',
      trust: 'reported',
      source: 'tart issue 159; it works for others',
    },
    {
      what: 'artifactType and subject are 405',
      trust: 'reported',
      source: 'docker/compose issue 11239 (2023-12); buildkit issue 5747',
    },
  ],
};

export const ecrPublic: EmulatorProfile = {
  ...ecr,
  name: 'ecr-public',
  title: 'Amazon ECR Public',
  variantOf: 'ecr',
  auth: {
    scheme: 'bearer',
    service: 'public.ecr.aws',
    tokenPath: '/token/',
    tokenLifeMs: 12 * 3_600_000,
    showsLife: false,
  },
  rates: [
    {
      kinds: ['manifest-write'],
      requests: 10,
      perMs: 1000,
      refusal: TOO_MANY_REQUESTS,
      source: `${QUOTAS}, public: PutImage`,
    },
    {
      kinds: ['upload-start'],
      requests: 10,
      perMs: 1000,
      refusal: TOO_MANY_REQUESTS,
      source: `${QUOTAS}, public: InitiateLayerUpload; an older page says 200`,
    },
    {
      kinds: ['upload-chunk'],
      requests: 260,
      perMs: 1000,
      refusal: TOO_MANY_REQUESTS,
      source: `${QUOTAS}, public: UploadLayerPart`,
    },
    {
      kinds: ['upload-commit'],
      requests: 10,
      perMs: 1000,
      refusal: TOO_MANY_REQUESTS,
      source: `${QUOTAS}, public: CompleteLayerUpload`,
    },
  ],
};

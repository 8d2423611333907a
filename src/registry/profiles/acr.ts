import { GIB, type ProviderProfile } from './profile.ts';

const TRACE =
  'opencontainers/oci-conformance distribution-spec/v1.1/azurecontainerregistry/report.html, 2024-06';

export const ACR: ProviderProfile = {
  name: 'acr',
  title: 'Azure Container Registry',
  hosts: [/^[a-z0-9-]+(?:\.[a-z0-9-]+)?\.azurecr\.(?:io|cn|us|de)(?::443)?$/],
  marks: [],
  upload: {
    singlePost: { value: true, source: `${TRACE} (POST ?digest= is answered 201)` },
    blobMaxBytes: {
      value: 200 * GIB,
      source: 'learn.microsoft.com/azure/container-registry/container-registry-skus, 2026-11',
    },
  },
  deletion: {
    byTag: { value: false, source: `${TRACE} (DELETE by tag is answered 405)` },
    byDigest: { value: true, source: `${TRACE} (202)` },
    blobs: { value: true, source: `${TRACE} (202)` },
    reclaims: {
      value:
        'Azure frees the bytes of a deleted manifest by itself, with soft delete after its days of grace; a manifest that only lost its tag stays until it is deleted or a retention policy takes it.',
      source: 'learn.microsoft.com/azure/container-registry/container-registry-delete, 2026-11',
    },
  },
  tags: {
    immutability: {
      value: 'configurable',
      source: 'learn.microsoft.com/azure/container-registry/container-registry-image-lock, 2026-11',
    },
  },
  rates: [
    {
      value: {
        kinds: ['upload-start', 'upload-chunk', 'upload-commit', 'manifest-write'],
        perSecond: 33,
        burst: 100,
      },
      source:
        'docs.azure.cn/container-registry/container-registry-skus (Premium: 2,000 writes a minute; Standard 500, Basic 100), 2026-11',
    },
    {
      value: { kinds: ['manifest-read', 'blob-head', 'blob-read', 'tag-list'], perSecond: 166, burst: 500 },
      source:
        'docs.azure.cn/container-registry/container-registry-skus (Premium: 10,000 reads a minute; Standard 3,000, Basic 1,000), 2026-11',
    },
  ],
  remarks: [
    {
      value:
        'Bodies above some 20 MB have been refused with 413, although Docker sends far longer ones every day; a 413 is answered by chunks.',
      source: 'goharbor/harbor#23015, #23016, 2026',
    },
    {
      value: 'The tag list of a repository whose last manifest was deleted is answered with 404.',
      source: TRACE,
    },
    {
      value: 'A token lives for about 75 minutes.',
      source: 'Azure/acr#191; MicrosoftDocs/azure-management-docs#29, 2026-11',
    },
  ],
};

import type { ProviderProfile } from './profile.ts';

export const HARBOR: ProviderProfile = {
  name: 'harbor',
  title: 'Harbor',
  hosts: [],
  marks: [
    { header: 'www-authenticate', value: /service="harbor-registry"|\/service\/token"/ },
    { header: 'set-cookie', value: /(?:^|, )sid=/ },
  ],
  upload: {
    singlePost: {
      value: false,
      source:
        'goharbor/harbor c50c7ddd6e proxies uploads to distribution 2.8, which ignores digest= (registry/handlers/blobupload.go v2.8.3), 2026-08',
    },
  },
  deletion: {
    byTag: {
      value: false,
      source: 'goharbor/harbor src/server/registry/manifest.go at c50c7ddd6e (400 UNSUPPORTED), 2026-08',
    },
    byDigest: {
      value: true,
      source:
        'goharbor/harbor src/server/registry/manifest.go at c50c7ddd6e (202; 412 where a tag is immutable), 2026-08',
    },
    reclaims: {
      value:
        'Harbor frees the bytes at its next garbage collection, which an administrator schedules (off by default); blobs of the last two hours stay.',
      source: 'goharbor/harbor src/lib/config/systemconfig.go at c50c7ddd6e (GC_TIME_WINDOW_HOURS), 2026-08',
    },
  },
  tags: {
    immutability: {
      value: 'configurable',
      source:
        'goharbor.io/docs/2.12.0/working-with-projects/working-with-images/create-tag-immutability-rules/, 2026-11',
    },
  },
  rates: [],
  remarks: [
    {
      value: 'A full quota of a project is answered with 403 DENIED.',
      source: 'goharbor.io/docs/2.12.0/administration/configure-project-quotas/, 2026-11',
    },
    {
      value: 'A blob that garbage collection is about to take is answered with 404; it is uploaded again.',
      source: 'goharbor/harbor src/server/middleware/blob/head_blob.go at c50c7ddd6e, 2026-08',
    },
    {
      value: 'Blobs above 32 GiB have failed with 502.',
      source: 'goharbor/harbor#19573, 2026-11',
    },
    {
      value: 'A token lives for 30 minutes by default.',
      source:
        'goharbor.io/docs/2.12.0/install-config/configure-system-settings-cli/ (token_expiration), 2026-11',
    },
  ],
};

import type { ProviderProfile } from './profile.ts';

const ROUTES = 'project-zot/zot pkg/api/routes.go at 6d19b445, 2026-08';

export const ZOT: ProviderProfile = {
  name: 'zot',
  title: 'zot',
  hosts: [],
  marks: [{ header: 'access-control-allow-headers', value: /x-zot-api-client/i }],
  upload: {
    singlePost: { value: true, source: `${ROUTES} (201)` },
  },
  deletion: {
    byTag: { value: true, source: `${ROUTES} (202)` },
    byDigest: { value: true, source: `${ROUTES} (202; 409 where several tags share it)` },
    blobs: { value: true, source: `${ROUTES} (202; 405 while a manifest names it)` },
    reclaims: {
      value:
        'zot frees the bytes by itself, an hour or two after the manifest is gone, where `gc` is on, as it is by default.',
      source:
        'project-zot/zot pkg/storage/constants/constants.go at 6d19b445 (gcDelay 1 h, every 1 h), 2026-08',
    },
  },
  tags: {},
  rates: [],
  remarks: [
    {
      value: 'An upload whose connection breaks is forgotten and started over.',
      source: `${ROUTES} ("unexpected error, removing .uploads/ files")`,
    },
    {
      value: 'The quota of repositories is answered with a 429 that no waiting mends.',
      source: 'project-zot/zot pkg/api/quota.go at 6d19b445, 2026-08',
    },
    {
      value:
        'All manifests of a repository stand in one index file, which is written anew at each put and delete: large stores get slower.',
      source: 'project-zot/zot pkg/storage/imagestore at 6d19b445, 2026-08',
    },
  ],
};

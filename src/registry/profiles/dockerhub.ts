import type { ProviderProfile } from './profile.ts';

export const DOCKERHUB: ProviderProfile = {
  name: 'dockerhub',
  title: 'Docker Hub',
  hosts: [/^(?:docker\.io|index\.docker\.io|registry-1\.docker\.io)(?::443)?$/],
  marks: [],
  upload: {},
  deletion: {
    byTag: {
      value: false,
      source: 'docker/docs content/reference/api/registry/latest.yaml (DELETE by tag: 405), 2026-11',
    },
    byDigest: {
      value: true,
      source: 'docker/docs content/reference/api/registry/latest.yaml (202), 2026-11',
    },
    whileTagged: {
      value: false,
      source:
        'docker/docs content/reference/api/registry/latest.yaml (403 while a tag or an index refers to it), 2026-11',
    },
    reclaims: {
      value:
        'Tags are deleted on hub.docker.com and in its own API only. Docker reclaims the bytes of deleted images by itself, at a time that it does not publish.',
      source: 'docs.docker.com/docker-hub/repos/manage/hub-images/, 2026-11',
    },
  },
  tags: {
    immutability: {
      value: 'configurable',
      source: 'docs.docker.com/docker-hub/repos/manage/hub-images/immutable-tags/, 2026-11',
    },
  },
  rates: [],
  remarks: [
    {
      value:
        'Reads of manifests are counted: 100 in 6 hours without a login, 200 with a personal account, no count with a paid one.',
      source: 'docs.docker.com/docker-hub/usage/, 2026-11',
    },
    {
      value: 'The referrers API is not served.',
      source: 'docker/roadmap#724, 2026-11',
    },
    {
      value: 'A token lives for 300 s; it is renewed while a backup runs.',
      source: 'docker/buildx#324; docker/hub-feedback#1772, 2026-11',
    },
  ],
};

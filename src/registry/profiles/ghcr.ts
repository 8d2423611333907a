import { MIB, type ProviderProfile } from './profile.ts';

const WORKING =
  'docs.github.com/packages/working-with-a-github-packages-registry/working-with-the-container-registry, 2026-11';

export const GHCR: ProviderProfile = {
  name: 'ghcr',
  title: 'GitHub Container Registry',
  hosts: [/^(?:ghcr\.io|containers\.[a-z0-9.-]+\.ghe\.com)(?::443)?$/],
  marks: [],
  upload: {
    mode: {
      value: 'monolithic',
      source: 'kitops-ml/kitops pkg/lib/repo/remote/upload-format.go at a041892; openai/tart#179, 2026-11',
    },
    chunkMaxBytes: {
      value: 4 * MIB,
      source:
        'oras-project/rust-oci-client#35 (416 "exceeds the maximum permissible limit of 4.00MiB"); ocx-sh/ocx#237, 2026-07',
    },
    blobMaxBytes: { value: 10_000_000_000, source: `${WORKING} (10 GB per layer)` },
  },
  deletion: {
    byTag: { value: false, source: 'containers/skopeo#1880 (405), 2026-11' },
    byDigest: { value: false, source: 'containers/skopeo#1880 (405 UNSUPPORTED), 2026-11' },
    reclaims: {
      value:
        'Nothing is freed through the registry: GitHub deletes versions of a package only in its web pages and its REST API. Objects that plakar deletes are hidden by tombstones, and their tags re-pointed; the versions that lost their tag can then be deleted there.',
      source: 'docs.github.com/packages/learn-github-packages/deleting-and-restoring-a-package, 2026-11',
    },
  },
  tags: {
    immutability: { value: 'never', source: `${WORKING} (no such setting)` },
  },
  rates: [
    {
      value: { kinds: ['upload-start'], perSecond: 33, burst: 100 },
      source: 'ctrox/crust-gather#461 (2,000 uploads a minute per token), 2026-11',
    },
  ],
  remarks: [
    { value: 'An upload is ended after 10 minutes.', source: WORKING },
    {
      value:
        'A refusal for rate (429) names its delay in the message, and speaks of 44,000 requests a minute.',
      source: 'dependabot/cli#380; chainguard-images/images#173; falcosecurity/plugins#1069, 2026-11',
    },
    {
      value: 'What was just written may be missing from answers for some seconds.',
      source: 'p2pool-starter-stack/pithead#429, 2026-07; infobloxopen/konk#626, 2026-06',
    },
    {
      value: 'The referrers API is not served.',
      source: 'community/community#163029, #208530, 2026-11',
    },
  ],
};

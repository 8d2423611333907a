import { GIB, type ProviderProfile } from './profile.ts';

const BLOB = 'quay/quay endpoints/v2/blob.py at ffba0c70e, 2026-08';

export const QUAY: ProviderProfile = {
  name: 'quay',
  title: 'Quay',
  hosts: [/^quay\.io(?::443)?$/],
  marks: [{ header: 'www-authenticate', value: /realm="https?:\/\/[^"/]+\/v2\/auth"/ }],
  upload: {
    singlePost: { value: true, source: `${BLOB} (201)` },
    blobMaxBytes: {
      value: 20 * GIB,
      source: 'quay/quay config.py at ffba0c70e (MAXIMUM_LAYER_SIZE), 2026-08',
    },
  },
  deletion: {
    byTag: { value: true, source: 'quay/quay endpoints/v2/manifest.py at ffba0c70e (202), 2026-08' },
    byDigest: { value: true, source: 'quay/quay endpoints/v2/manifest.py at ffba0c70e (202), 2026-08' },
    blobs: { value: false, source: `${BLOB} (405 always)` },
    reclaims: {
      value:
        'Quay keeps a deleted tag for its time machine (two weeks by default) and frees the bytes after that, by itself.',
      source: 'docs.quay.io/guides/tag-history.html; quay/quay config.py at ffba0c70e, 2026-08',
    },
  },
  tags: {
    immutability: {
      value: 'configurable',
      source: 'quay/quay endpoints/v2 at ffba0c70e (409 TAG_IMMUTABLE), 2026-08',
    },
    pageSize: {
      value: 100,
      source: 'quay/quay endpoints/v2 at ffba0c70e (V2_PAGINATION_SIZE; pages of at most 100), 2026-08',
    },
  },
  rates: [],
  remarks: [
    {
      value: 'Requests for a range of a blob that Quay serves itself are answered with the whole blob.',
      source: `${BLOB} (download_blob)`,
    },
    {
      value: 'A first chunk that is sent again is stored twice: such an upload is started over.',
      source: 'quay/quay data/registry_model/blobuploader.py at ffba0c70e, 2026-08',
    },
    {
      value: 'Requests are limited per second by the front end (5 a second for heavy ones over HTTP/1.1).',
      source: 'quay/quay conf/nginx/rate-limiting.conf.jnj at ffba0c70e, 2026-08',
    },
    {
      value: 'A blob without a manifest is collected after one hour.',
      source: 'quay/quay config.py at ffba0c70e (PUSH_TEMP_TAG_EXPIRATION_SEC), 2026-08',
    },
  ],
};

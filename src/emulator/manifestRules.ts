import { failure } from './answers.ts';
import type { ManifestRules } from './behaviour.ts';

/** Manifests as the specification describes them. */
export const specifiedManifests: ManifestRules = {
  tellsLocation: true,
  setsTagsByQuery: true,
  tooLarge: () => failure(413, 'SIZE_INVALID', 'a manifest may have 4 MiB at most'),
  missing: (digest) =>
    failure(404, 'MANIFEST_BLOB_UNKNOWN', 'the manifest names content that the repository does not have', {
      detail: { digest },
    }),
};

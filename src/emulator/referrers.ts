import { type Answer, failure, json, notAllowed } from './answers.ts';
import type { Call } from './context.ts';
import { isDigest } from './names.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';

/** `GET /v2/<name>/referrers/<digest>`: an index of the manifests that name the digest as their subject. */
export function referrers(call: Call): Answer {
  if (call.method !== 'GET' && call.method !== 'HEAD') return notAllowed('GET, HEAD');
  if (!isDigest(call.reference)) return failure(400, 'DIGEST_INVALID', 'the subject is not a digest');
  const artifactType = call.query.get('artifactType');
  const manifests: object[] = [];
  for (const digest of call.known?.referrers.get(call.reference) ?? []) {
    const record = call.known?.manifests.get(digest);
    if (!record) continue;
    if (artifactType !== null && artifactType !== '' && record.artifactType !== artifactType) continue;
    manifests.push({
      mediaType: record.mediaType,
      digest,
      size: record.size,
      artifactType: record.artifactType,
      annotations: record.annotations,
    });
  }
  const headers: Record<string, string> = {};
  if (artifactType) headers['OCI-Filters-Applied'] = 'artifactType';
  return json(200, { schemaVersion: 2, mediaType: INDEX, manifests }, headers, INDEX);
}

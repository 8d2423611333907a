import { type Answer, type AnswerHeaders, empty, failure, notAllowed } from './answers.ts';
import type { ManifestEntry, Repository } from './catalogue.ts';
import type { Call, Context } from './context.ts';
import { type ManifestContent, readManifestContent } from './manifestContent.ts';
import { algorithmOf, digestOf, isDigest, isTag } from './names.ts';
import type { ManifestRecord } from './storage.ts';

const SIZE_LIMIT = 4 << 20;
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** `GET`, `HEAD`, `PUT` and `DELETE /v2/<name>/manifests/<tag or digest>`. */
export async function manifest(context: Context, call: Call): Promise<Answer | undefined> {
  if (!isDigest(call.reference) && !isTag(call.reference)) {
    return call.reference.includes(':')
      ? failure(400, 'DIGEST_INVALID', 'the digest is malformed or of an unknown algorithm')
      : failure(400, 'MANIFEST_INVALID', 'the reference is neither a tag nor a digest');
  }
  switch (call.method) {
    case 'GET':
    case 'HEAD':
      return serve(context, call);
    case 'PUT':
      return put(context, call);
    case 'DELETE':
      return remove(context, call);
    default:
      return notAllowed('GET, HEAD, PUT, DELETE');
  }
}

async function serve(context: Context, call: Call): Promise<Answer> {
  const rules = context.behaviour.manifests;
  const record = rules.resolve ? rules.resolve(call) : call.known?.resolve(call.reference);
  if (!record) return unknownManifest(call.reference);
  const refused = rules.refuseRead?.(call, record);
  if (refused) return refused;
  const headers: AnswerHeaders = {
    'Content-Type': record.mediaType,
    'Content-Length': String(record.size),
    'Docker-Content-Digest': record.digest,
    ETag: `"${record.digest}"`,
  };
  if (call.method === 'HEAD') return { status: 200, headers };
  const body = await context.storage.readManifest(call.repository, record.digest);
  return body ? { status: 200, headers, body } : unknownManifest(call.reference);
}

async function put(context: Context, call: Call): Promise<Answer | undefined> {
  const rules = context.behaviour.manifests;
  const bytes = await call.body.collect(SIZE_LIMIT);
  if (bytes === 'cut') return undefined;
  if (bytes === 'too large') return rules.tooLarge();
  const byDigest = isDigest(call.reference);
  const tags = byDigest ? (rules.setsTagsByQuery ? call.query.getAll('tag') : []) : [call.reference];
  if (!tags.every(isTag)) return failure(400, 'MANIFEST_INVALID', 'a tag to set is malformed');
  const digest = digestOf(bytes, byDigest ? algorithmOf(call.reference) : 'sha256');
  if (byDigest && digest !== call.reference) {
    return failure(400, 'DIGEST_INVALID', `the manifest has the digest ${digest}`);
  }
  const content = readManifestContent(bytes);
  if (typeof content === 'string') return failure(400, 'MANIFEST_INVALID', content);
  const declared = call.headers['content-type']?.split(';')[0]?.trim();
  if (declared && content.mediaType && declared !== content.mediaType) {
    return failure(
      400,
      'MANIFEST_INVALID',
      `Content-Type is ${declared} and mediaType is ${content.mediaType}`,
    );
  }
  const refused = rules.refusePut?.(call, content, digest);
  if (refused) return refused;
  const missing = findMissing(call.known, content);
  if (missing) return rules.missing(missing);
  const mediaType = content.mediaType ?? declared ?? OCI_MANIFEST;
  const before = rules.stored && call.known?.tags.get(call.reference);
  await store(context, call.repository, recordOf(content, digest, mediaType, bytes.length), bytes, tags);
  rules.stored?.(call, before);
  const headers: AnswerHeaders = { 'Docker-Content-Digest': digest };
  if (rules.tellsLocation) headers.Location = `/v2/${call.repository}/manifests/${call.reference}`;
  if (content.subject !== undefined && context.behaviour.referrers) headers['OCI-Subject'] = content.subject;
  if (byDigest && tags.length > 0) headers['OCI-Tag'] = tags.join(', ');
  return empty(201, headers);
}

function recordOf(content: ManifestContent, digest: string, mediaType: string, size: number): ManifestRecord {
  const record = { digest, mediaType, size };
  if (content.subject === undefined) return record;
  // Only the referrers list shows these two; kept for every manifest they would fill the memory.
  return {
    ...record,
    subject: content.subject,
    ...(content.artifactType === undefined ? {} : { artifactType: content.artifactType }),
    ...(content.annotations === undefined ? {} : { annotations: content.annotations }),
  };
}

async function store(
  context: Context,
  name: string,
  record: ManifestRecord,
  bytes: Buffer,
  tags: readonly string[],
): Promise<void> {
  await context.lock.run(`${name}@${record.digest}`, async () => {
    const repository = context.catalogue.create(name);
    await context.storage.putManifest(name, record, bytes);
    repository.addManifest(record);
    for (const tag of tags) {
      await context.lock.run(`${name}:${tag}`, async () => {
        await context.storage.putTag(name, tag, record.digest);
        repository.setTag(tag, record.digest);
      });
    }
  });
}

function findMissing(repository: Repository | undefined, content: ManifestContent): string | undefined {
  const blob = content.blobs.find((digest) => !repository?.blobs.has(digest));
  return blob ?? content.manifests.find((digest) => !repository?.manifests.has(digest));
}

async function remove(context: Context, call: Call): Promise<Answer> {
  const { known: repository, reference } = call;
  if (!repository) return unknownManifest(reference);
  const rules = context.behaviour.manifests;
  const refused = await rules.refuseDelete?.(context, call, repository);
  if (refused) return refused;
  const paged = rules.tagsPerDelete;
  if (paged && (repository.manifests.get(reference)?.tags.size ?? 0) > paged.limit) {
    const some = [...(repository.manifests.get(reference)?.tags ?? [])].slice(0, paged.limit);
    for (const tag of some) await removeTag(context, repository, tag, () => true);
    return paged.answer(call);
  }
  const removed = isDigest(reference)
    ? await removeManifest(context, repository, reference)
    : await removeTag(context, repository, reference, () => true);
  return removed ? empty(202) : unknownManifest(reference);
}

async function removeManifest(context: Context, repository: Repository, digest: string): Promise<boolean> {
  return context.lock.run(`${repository.name}@${digest}`, async () => {
    const record: ManifestEntry | undefined = repository.manifests.get(digest);
    if (!record) return false;
    for (const tag of [...record.tags]) {
      await removeTag(context, repository, tag, () => repository.tags.get(tag) === digest);
    }
    repository.removeManifest(digest);
    await context.storage.removeManifest(repository.name, digest);
    return true;
  });
}

async function removeTag(
  context: Context,
  repository: Repository,
  tag: string,
  still: () => boolean,
): Promise<boolean> {
  return context.lock.run(`${repository.name}:${tag}`, async () => {
    if (repository.tags.get(tag) === undefined || !still()) return false;
    repository.removeTag(tag);
    await context.storage.removeTag(repository.name, tag);
    return true;
  });
}

function unknownManifest(reference: string): Answer {
  return failure(404, 'MANIFEST_UNKNOWN', 'the repository has no such manifest', { detail: { reference } });
}

import type { Answer } from '../answers.ts';
import type { ManifestRules } from '../behaviour.ts';
import type { ManifestEntry, Repository } from '../catalogue.ts';
import type { Call } from '../context.ts';
import { isDigest } from '../names.ts';
import type { ManifestProfile } from './profile.ts';
import { isReferenced } from './references.ts';
import { refuse } from './refusals.ts';

/** The manifests of a profile. */
export function manifestsOf(profile: ManifestProfile): ManifestRules {
  const { layers, artifactType, immutable, accept, staleReads, remove } = profile;
  return {
    tellsLocation: profile.tellsLocation,
    setsTagsByQuery: profile.setsTagsByQuery ?? false,
    tooLarge: () => refuse(profile.tooLarge),
    missing: (digest) => refuse(profile.missingBlob, { digest }),
    refusePut(call, content, digest) {
      const isImage = content.manifests.length === 0;
      if (isImage && layers?.min && content.layers === 0) return refuse(layers.min);
      if (layers?.max && content.layers > layers.max.count) return refuse(layers.max.refusal);
      if (artifactType && (content.declaresArtifactType || content.subject !== undefined))
        return refuse(artifactType);
      const before = isDigest(call.reference) ? undefined : call.known?.tags.get(call.reference);
      if (immutable && before !== undefined && (immutable.always || before !== digest)) {
        return refuse(immutable.put, { tag: call.reference });
      }
      return undefined;
    },
    ...(staleReads !== undefined && staleTags(staleReads)),
    ...(accept && {
      refuseRead(call, record) {
        const accepted = call.headers.accept ?? '';
        const isOci = record.mediaType.startsWith('application/vnd.oci.');
        return isOci && !accepted.includes(record.mediaType) ? refuse(accept) : undefined;
      },
    }),
    async refuseDelete(context, call, repository) {
      const refused = refuseDelete(profile, call, repository);
      if (refused || !remove.referenced || !isDigest(call.reference)) return refused;
      return (await isReferenced(context, repository, call.reference))
        ? refuse(remove.referenced)
        : undefined;
    },
    ...(remove.page && {
      tagsPerDelete: {
        limit: remove.page.tags,
        answer: (call) =>
          refuse(
            remove.page?.refusal ?? { status: 400, message: '' },
            {},
            { Link: `<${call.path}>; rel="next"` },
          ),
      },
    }),
  };
}

function refuseDelete(profile: ManifestProfile, call: Call, repository: Repository): Answer | undefined {
  const { remove, immutable } = profile;
  if (!isDigest(call.reference)) {
    if (remove.tag) return refuse(remove.tag);
    return immutable?.remove && repository.tags.get(call.reference) ? refuse(immutable.remove) : undefined;
  }
  if (remove.digest) return refuse(remove.digest);
  const tags = repository.manifests.get(call.reference)?.tags.size ?? 0;
  if (immutable?.remove && tags > 0) return refuse(immutable.remove);
  if (remove.digestWhileTagged && tags > 0) return refuse(remove.digestWhileTagged);
  return remove.digestOfSeveralTags && tags > 1 ? refuse(remove.digestOfSeveralTags) : undefined;
}

/** Nothing lags for longer: another client that comes later sees what is there. */
const LAG_MS = 2000;

/** Reads that lag behind writes: so many reads of a tag, within two seconds, see what it was before. */
function staleTags(reads: number): Pick<ManifestRules, 'stored' | 'resolve'> {
  const lagging = new Map<string, { before: string | undefined; left: number; untilMs: number }>();
  return {
    stored(call, before) {
      lagging.set(`${call.repository}:${call.reference}`, {
        before,
        left: reads,
        untilMs: performance.now() + LAG_MS,
      });
    },
    resolve(call): ManifestEntry | undefined {
      const key = `${call.repository}:${call.reference}`;
      const lag = lagging.get(key);
      if (lag && (--lag.left <= 0 || performance.now() > lag.untilMs)) lagging.delete(key);
      if (!lag || performance.now() > lag.untilMs) return call.known?.resolve(call.reference);
      return lag.before === undefined ? undefined : call.known?.resolve(lag.before);
    },
  };
}

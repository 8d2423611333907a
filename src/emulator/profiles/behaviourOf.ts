import { type Answer, empty } from '../answers.ts';
import type { AuthOptions } from '../auth/options.ts';
import type { Behaviour } from '../behaviour.ts';
import type { Call, Context } from '../context.ts';
import type { Collector } from './collector.ts';
import { manifestsOf } from './manifestsOf.ts';
import type { BlobProfile, EmulatorProfile } from './profile.ts';
import { RateLimiter } from './rateLimits.ts';
import { isReferenced } from './references.ts';
import { refuse } from './refusals.ts';
import { tagsOf } from './tagsOf.ts';
import { uploadsOf } from './uploadsOf.ts';

/** What a profile leaves to whoever starts the registry. */
export interface ProfileSettings {
  /**
   * Accounts, which are asked for in the provider's way.
   *
   * @default none: everybody may do everything
   */
  readonly users?: AuthOptions['users'];
  /** What may be done without credentials where there are users; default: nothing. */
  readonly anonymous?: AuthOptions['anonymous'];
  /** How long a token is good for, in milliseconds; default: as long as the provider's. */
  readonly tokenLifeMs?: number;
  /**
   * Repositories that exist where they have to be created first; `*` stands for any run of characters.
   *
   * @default none
   */
  readonly repositories?: readonly string[];
  /**
   * Turns the provider's caps on requests on; 1 for the real ones, 0.1 for a tenth of them.
   *
   * @default off
   */
  readonly rateScale?: number;
  /** Bytes that a repository may hold before uploads are refused as the provider refuses them. */
  readonly quotaBytes?: number;
  /** How long the signed URL of a redirect is good for, in milliseconds; default 20 min, as distribution asks of S3. */
  readonly signedUrlLifeMs?: number;
  /** The clock of caps, tokens and signatures, in milliseconds; default: the system's. */
  readonly now?: () => number;
}

/** What the surroundings of a registry give a profile. */
export interface ProfileRig {
  readonly secure: boolean;
  /** The URL of a blob on the storage host, for the request that asks. */
  signedUrl(call: Call, digest: string): string;
  readonly collector: Collector;
}

/** Turns the data of a profile into the behaviour of a registry. */
export function behaviourOf(profile: EmulatorProfile, settings: ProfileSettings, rig: ProfileRig): Behaviour {
  const { bodyLimit, headers, quota, rates, repositoryMissing } = profile;
  const { rateScale, quotaBytes, now = Date.now } = settings;
  const limiter = rateScale === undefined ? undefined : new RateLimiter(rates, rateScale, now);
  const exists = matcher(settings.repositories ?? []);
  return {
    uploads: {
      ...uploadsOf(profile.upload, rig.secure),
      stored: (repository, digest) => rig.collector.spare(repository, digest),
    },
    blobs: blobsOf(profile.blobs, rig),
    manifests: manifestsOf(profile.manifests),
    tags: tagsOf(profile.tags, rig.secure),
    referrers: profile.referrers,
    admit(_context: Context, call: Call): Answer | undefined {
      const limited = limiter?.admit(call);
      if (limited) return limited;
      if (repositoryMissing && !exists(call.repository))
        return refuse(repositoryMissing, { name: call.repository });
      const length = call.body.declared ?? 0;
      if (bodyLimit && length > bodyLimit.maxBytes) return refuse(bodyLimit.refusal);
      if (quota && quotaBytes !== undefined && length > 0 && bytesIn(call) + length > quotaBytes)
        return refuse(quota);
      if (call.route === 'manifest' && call.method === 'DELETE' && !call.known) {
        const { unknownRepository } = profile.manifests.remove;
        if (unknownRepository) return refuse(unknownRepository);
      }
      return undefined;
    },
    ...(headers && {
      finish: (_call: Call, answer: Answer) => ({ ...answer, headers: { ...answer.headers, ...headers } }),
    }),
  };
}

function blobsOf(profile: BlobProfile, rig: ProfileRig): Behaviour['blobs'] {
  const { bytes, collected, deleteReferenced } = profile;
  return {
    ranges: profile.ranges,
    ...(bytes !== 'direct' && {
      redirect: (call, digest) => empty(bytes, { Location: rig.signedUrl(call, digest) }),
    }),
    ...(collected && {
      refuseRead: (call, digest) =>
        rig.collector.isAt(call.repository, digest) ? refuse(collected, { digest }) : undefined,
    }),
    async refuseDelete(context, call, digest) {
      if (profile.delete) return refuse(profile.delete);
      if (!deleteReferenced || !(await isReferenced(context, call.known, digest))) return undefined;
      return refuse(deleteReferenced);
    },
  };
}

function matcher(patterns: readonly string[]): (name: string) => boolean {
  const tests = patterns.map((pattern) => {
    const text = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${text.join('.*')}$`);
  });
  return (name) => tests.some((test) => test.test(name));
}

function bytesIn({ known }: Call): number {
  let sum = 0;
  for (const { size } of known?.blobs.values() ?? []) sum += size;
  return sum;
}

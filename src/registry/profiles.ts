import { ACR } from './profiles/acr.ts';
import { ARTIFACTORY } from './profiles/artifactory.ts';
import { CLOUDFLARE } from './profiles/cloudflare.ts';
import { DOCKERHUB } from './profiles/dockerhub.ts';
import { ECR } from './profiles/ecr.ts';
import { ECR_PUBLIC } from './profiles/ecrPublic.ts';
import { GAR } from './profiles/gar.ts';
import { GENERIC } from './profiles/generic.ts';
import { GHCR } from './profiles/ghcr.ts';
import { GITLAB } from './profiles/gitlab.ts';
import { HARBOR } from './profiles/harbor.ts';
import type { ProfileName } from './profiles/names.ts';
import type { ProviderProfile } from './profiles/profile.ts';
import { QUAY } from './profiles/quay.ts';
import { REGISTRY2 } from './profiles/registry2.ts';
import { REGISTRY3 } from './profiles/registry3.ts';
import { ZOT } from './profiles/zot.ts';

export type { ProviderProfile, RateCap, Sourced, UploadMode } from './profiles/profile.ts';

/** All profiles, in the order of the documentation. `generic` is the last one. */
export const PROFILES: readonly ProviderProfile[] = [
  DOCKERHUB,
  ECR,
  ECR_PUBLIC,
  GAR,
  ACR,
  GHCR,
  HARBOR,
  QUAY,
  GITLAB,
  ARTIFACTORY,
  CLOUDFLARE,
  ZOT,
  REGISTRY2,
  REGISTRY3,
  GENERIC,
];

/**
 * The profile of a registry: the one that was asked for, else the one that its host name tells, else `generic`.
 *
 * @param host `HOST[:PORT]` as in a location, in any case
 */
export function profileOf(host: string, override?: ProfileName): ProviderProfile {
  const lower = host.toLowerCase();
  const found =
    override === undefined
      ? PROFILES.find(({ hosts }) => hosts.some((pattern) => pattern.test(lower)))
      : PROFILES.find(({ name }) => name === override);
  return found ?? GENERIC;
}

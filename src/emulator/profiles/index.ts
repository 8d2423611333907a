import { artifactory } from './artifactory.ts';
import { acr } from './azure.ts';
import { cloudflare } from './cloudflare.ts';
import { distribution3, registry2, registry2NoDelete } from './distribution.ts';
import { dockerhub } from './dockerhub.ts';
import { ecr, ecr2023, ecrImmutable, ecrPublic } from './ecr.ts';
import { ghcr, ghcrStale } from './ghcr.ts';
import { gitlab } from './gitlab.ts';
import { gar } from './google.ts';
import { harbor, harborImmutable } from './harbor.ts';
import type { EmulatorProfile } from './profile.ts';
import { quay, quayDirect } from './quay.ts';
import { zot } from './zot.ts';

/** The registries that the emulator can be. */
export const PROFILES = {
  ecr,
  'ecr-immutable': ecrImmutable,
  'ecr-2023': ecr2023,
  'ecr-public': ecrPublic,
  ghcr,
  'ghcr-stale': ghcrStale,
  gar,
  acr,
  dockerhub,
  harbor,
  'harbor-immutable': harborImmutable,
  quay,
  'quay-direct': quayDirect,
  gitlab,
  artifactory,
  cloudflare,
  zot,
  registry2,
  'registry2-nodelete': registry2NoDelete,
  distribution3,
} as const satisfies Record<string, EmulatorProfile>;

export type ProfileName = keyof typeof PROFILES;

export const PROFILE_NAMES = Object.keys(PROFILES) as ProfileName[];

/**
 * The names of all profiles, without their data: options are read at every start, and most starts are on a host that
 * needs no profile. A test holds this list against the data.
 */
export const PROFILE_NAMES = [
  'dockerhub',
  'ecr',
  'ecr-public',
  'gar',
  'acr',
  'ghcr',
  'harbor',
  'quay',
  'gitlab',
  'artifactory',
  'cloudflare',
  'zot',
  'registry2',
  'registry3',
  'generic',
] as const;

export type ProfileName = (typeof PROFILE_NAMES)[number];

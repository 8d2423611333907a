import type { ProviderProfile } from './profile.ts';

/** What is assumed of a registry that nobody knows. */
export const GENERIC: ProviderProfile = {
  name: 'generic',
  title: 'Any other registry',
  hosts: [],
  marks: [],
  upload: {},
  deletion: { reclaims: { value: 'The operator decides when space is freed.', source: 'none' } },
  tags: {},
  rates: [],
  remarks: [],
};

/** The doctor against every registry that the emulator plays: what each cannot do is what the doctor says. */
import { describe, expect, it } from 'vitest';
import { startRegistry } from '../../src/emulator/index.ts';
import { PROFILE_NAMES } from '../../src/emulator/profiles/index.ts';
import { examine } from '../../src/store/doctor/examine.ts';
import { openOciStore } from '../../src/store/openStore.ts';
import { FAST_RETRY } from '../engine/rig.ts';

const NO_POST = { 'upload-post': 'not possible' };
const NO_REFERRERS = { referrers: 'not possible' };
const NO_TAG = { 'delete-tag': 'not possible' };
const NO_BLOB = { 'delete-blob': 'not possible' };
const NOTHING = { ...NO_TAG, ...NO_BLOB, 'delete-digest': 'not possible' };
const WHOLE_READS = { range: 'limited' };
const AMAZON = {
  ...NO_POST,
  ...NO_TAG,
  ...NO_BLOB,
  'session-status': 'not possible',
  'upload-chunks': 'limited',
};
const GITHUB = { ...NO_POST, ...NO_REFERRERS, ...NOTHING, 'chunk-length': 'limited' };
const DISTRIBUTION = { ...NO_POST, ...NO_REFERRERS };
const FIXED_TAGS = { 'tag-mutability': 'limited' };

const EXPECTED: Record<(typeof PROFILE_NAMES)[number], Record<string, string>> = {
  ecr: AMAZON,
  'ecr-immutable': { ...AMAZON, ...FIXED_TAGS },
  'ecr-2023': {
    ...AMAZON,
    ...NO_REFERRERS,
    'artifact-type': 'not possible',
    'upload-patch': 'not possible',
  },
  'ecr-public': AMAZON,
  ghcr: GITHUB,
  'ghcr-stale': { ...GITHUB, 'read-after-write': 'limited' },
  gar: { ...NO_POST, 'upload-chunks': 'not possible', 'delete-digest': 'limited' },
  acr: NO_TAG,
  dockerhub: { ...NO_POST, ...NO_REFERRERS, ...NOTHING },
  harbor: { ...NO_POST, ...NO_TAG, ...NO_BLOB },
  'harbor-immutable': { ...NO_POST, ...NOTHING, ...FIXED_TAGS },
  quay: NO_BLOB,
  'quay-direct': { ...NO_BLOB, ...WHOLE_READS },
  gitlab: DISTRIBUTION,
  artifactory: NO_BLOB,
  cloudflare: { ...NO_POST, ...WHOLE_READS, 'upload-chunks': 'limited', pagination: 'limited' },
  zot: {},
  registry2: { ...DISTRIBUTION, ...NO_TAG, pagination: 'limited' },
  'registry2-nodelete': { ...DISTRIBUTION, ...NOTHING, pagination: 'limited' },
  distribution3: DISTRIBUTION,
};

describe('the doctor', () => {
  it.each(PROFILE_NAMES)('%s', async (profile) => {
    const registry = await startRegistry({ profile, profileSettings: { repositories: ['me/*'] } });
    const open = openOciStore(`oci://${registry.address}/me/backups`, { retry: FAST_RETRY });
    try {
      const { works, findings, leftovers } = await examine(open);
      const odd = findings.filter(({ verdict }) => verdict !== 'ok');
      expect(Object.fromEntries(odd.map(({ name, verdict }) => [name, verdict]))).toEqual(EXPECTED[profile]);
      expect(works).toBe(true);
      expect(registry.openSessions()).toEqual([]);
      const deletes = EXPECTED[profile]['delete-digest'] !== 'not possible';
      expect(leftovers.tags.length + leftovers.manifests.length === 0).toBe(deletes);
    } finally {
      await open.close();
      await registry.close();
    }
  });
});

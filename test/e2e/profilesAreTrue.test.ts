/** The table of what registries answer, held against those that run here: an imitation is only as good as its model. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProfileName } from '../../src/emulator/index.ts';
import { TABLE } from '../emulator/profiles/table.ts';
import { differences, Talk } from '../emulator/profiles/transcript.ts';
import { requirePeers } from '../support/peers.ts';
import {
  REGISTRIES,
  type RealRegistry,
  type RegistryName,
  type RegistryOptions,
} from '../support/realRegistries.ts';

interface Pair {
  readonly profile: ProfileName;
  readonly name: RegistryName;
  readonly options?: RegistryOptions;
}

const REAL: readonly Pair[] = [
  { profile: 'registry2', name: 'docker-registry' },
  { profile: 'registry2-nodelete', name: 'docker-registry', options: { deletion: false } },
  { profile: 'distribution3', name: 'distribution3' },
  { profile: 'zot', name: 'zot' },
];

describe.each(REAL)('the profile $profile and the real $name', ({ profile, name, options }) => {
  const needed = requirePeers(REGISTRIES[name].peers);
  let registry: RealRegistry;

  beforeAll(async () => {
    if (needed.found) registry = await REGISTRIES[name].start(options);
  });

  afterAll(async () => registry?.stop());

  const rows = TABLE.filter(({ profiles, notReal }) => profiles.includes(profile) && !notReal);

  test.skipIf(!needed.found).each(rows.map((row, index) => ({ ...row, index })))(
    '$shows',
    async ({ lines, index }) => {
      const talk = new Talk(`http://${registry.address}`, `table/row${index}`);
      for (const [step, status, rest] of lines) {
        const reply = await talk.run(step);
        if (!reply || status === 'cut') continue;
        expect(differences(reply, { status, ...rest }), step.title).toEqual([]);
      }
    },
  );
});

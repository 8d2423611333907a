import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../../src/emulator/index.ts';
import { PROFILE_NAMES } from '../../../src/emulator/profiles/index.ts';
import { type Row, TABLE } from './table.ts';
import { differences, Talk } from './transcript.ts';

describe.each(PROFILE_NAMES)('the profile %s', (name) => {
  let registry: RunningRegistry;

  beforeEach(async () => {
    registry = await startRegistry({ profile: name, profileSettings: { repositories: ['me/*'] } });
  });

  afterEach(() => registry.close());

  const rows = TABLE.filter(({ profiles }) => profiles.includes(name));

  test.each(rows)('$shows', async ({ lines }: Row) => {
    const talk = new Talk(registry.url, 'me/store');
    for (const [step, status, rest] of lines) {
      const reply = await talk.run(step);
      if (!reply || status === 'cut') continue;
      expect(differences(reply, { status, ...rest }), step.title).toEqual([]);
    }
  });
});

import { describe, expect, test } from 'vitest';
import { CONTENT_COLUMNS, type Column, UPLOAD_COLUMNS } from '../../src/emulator/profiles/describe.ts';
import { PROFILES } from '../../src/emulator/profiles/index.ts';
import type { EmulatorProfile, Trust } from '../../src/emulator/profiles/profile.ts';

const profiles: readonly EmulatorProfile[] = Object.values(PROFILES);

const TRUST: Record<Trust, string> = {
  observed: 'on the program itself, by `test/e2e/profilesAreTrue.test.ts`',
  read: "in the registry's source",
  recorded: 'in a published recording of requests and answers',
  documented: 'by the vendor',
  reported: 'by users, or by what other clients work around',
  inferred: 'from the others, or guessed where nothing was found',
};

/** A table with the profiles as columns would be too wide to read; one line for each behaviour is not. */
function sheet(profile: EmulatorProfile): string[] {
  const rows = [...UPLOAD_COLUMNS, ...CONTENT_COLUMNS].map(
    ({ title, cell }) => `| ${title} | ${cell(profile)} |`,
  );
  const rates = profile.rates.map(({ requests, perMs, kinds, source, refusal }) => {
    const what = typeof kinds === 'string' ? (kinds === 'all' ? 'requests' : 'writes') : kinds.join(', ');
    const code = [refusal.status, refusal.code].filter(Boolean).join(' ');
    return `- ${requests} ${what} in ${perMs / 1000} s, else ${code}: ${source}`;
  });
  return [
    `## ${profile.name}`,
    '',
    `${profile.title}.${profile.variantOf ? ` A variant of [${profile.variantOf}](#${profile.variantOf}).` : ''}`,
    '',
    '| behaviour | here |',
    '| --- | --- |',
    ...rows,
    '',
    ...(rates.length > 0 ? ['Caps, with `--rate-limits`:', '', ...rates, ''] : []),
    'Evidence:',
    '',
    ...profile.evidence.map(({ what, trust, source }) => `- ${what} (${trust}: ${source})`),
    '',
  ];
}

function overview(columns: readonly Column[]): string[] {
  const head = ['profile', ...columns.map(({ title }) => title)];
  const rows = profiles.map((profile) => [
    `[${profile.name}](#${profile.name})`,
    ...columns.map(({ cell }) => cell(profile)),
  ]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

const named = (columns: readonly Column[], ...titles: string[]): Column[] =>
  columns.filter(({ title }) => titles.includes(title));

describe('docs/emulator-profiles.md', () => {
  test('is what the profiles are', async () => {
    const text = [
      '# What the embedded registry can be',
      '',
      'Written from `src/emulator/profiles/`; after a change: `npx vitest run --project unit test/docs -u`.',
      '[emulator.md](emulator.md) says how to use it.',
      '',
      'How far each behaviour may be believed:',
      '',
      ...Object.entries(TRUST).map(([trust, meaning]) => `- **${trust}** ${meaning}`),
      '',
      '## Uploads',
      '',
      ...overview(
        named(
          UPLOAD_COLUMNS,
          '`POST ?digest=`',
          'chunk',
          'out of order',
          'GET of a session',
          'limits in bytes',
        ),
      ),
      '',
      '## Content',
      '',
      ...overview(
        named(
          CONTENT_COLUMNS,
          'GET blob',
          'DELETE tag',
          'DELETE digest',
          'tag list',
          'referrers',
          'credentials',
        ),
      ),
      '',
      ...profiles.flatMap(sheet),
    ].join('\n');
    await expect(text).toMatchFileSnapshot('../../docs/emulator-profiles.md');
  });

  test('has a source for everything that a variant adds', () => {
    const parents = new Map(profiles.map((profile) => [profile.name, profile]));
    for (const { name, variantOf, evidence, rates } of profiles) {
      expect(evidence.length, name).toBeGreaterThan(0);
      for (const { what, source } of evidence) expect(`${what}${source}`.trim(), name).not.toBe('');
      for (const { source } of rates) expect(source, name).not.toBe('');
      if (variantOf) expect(parents.has(variantOf), name).toBe(true);
    }
  });
});

import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PROFILES } from '../../src/registry/profiles.ts';

const FOLDER = fileURLToPath(new URL('../../docs/providers/', import.meta.url));

interface Generator {
  providerPages(): [name: string, text: string][];
}

const { providerPages } = (await import(
  new URL('../../scripts/providers/pages.mjs', import.meta.url).href
)) as Generator;
const pages = new Map(providerPages());

describe('docs/providers', () => {
  it('has a page for each profile, an index, and nothing else', async () => {
    const wanted = [...PROFILES.map(({ name }) => `${name}.md`), 'README.md'].sort();
    expect([...pages.keys()].sort()).toEqual(wanted);
    expect((await readdir(FOLDER)).sort()).toEqual(wanted);
  });

  it.each([...pages])('%s is what `npm run docs:providers` writes', async (name, text) => {
    expect(await readFile(`${FOLDER}${name}`, 'utf8')).toBe(text);
  });

  it.each(PROFILES.map((profile) => [profile.name, profile] as const))(
    '%s: set-up, deletion, retention, costs, and every source',
    (name, profile) => {
      const text = pages.get(`${name}.md`) ?? '';
      for (const title of ['Set-up', 'Deletion', 'Retention and immutability', 'Costs to expect']) {
        expect(text).toContain(`\n## ${title}\n\n`);
      }
      const sources = [...Object.values(profile.upload), ...profile.rates, ...profile.remarks].map(
        (fact) => fact?.source ?? '',
      );
      for (const source of sources) expect(text).toContain(source.replaceAll('|', '\\|'));
      expect(text).toContain(profile.deletion.reclaims.value);
      expect(text).toContain('kloset-oci ');
    },
  );

  it('counts requests and speed by the profile', () => {
    expect(pages.get('ecr.md')).toContain('3 for each packfile of 20 MiB, which makes some 156 per GiB');
    expect(pages.get('ecr.md')).toContain('allows 10 packfiles a second, 200 MiB/s');
    expect(pages.get('acr.md')).toContain('2 for each packfile of 20 MiB, which makes some 104 per GiB');
  });

  it('names every profile in the index', () => {
    for (const { name, title } of PROFILES)
      expect(pages.get('README.md')).toContain(`[${title}](${name}.md)`);
  });
});

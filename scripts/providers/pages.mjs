import { readFileSync } from 'node:fs';
import { PROFILES } from '../../src/registry/profiles.ts';
import { costsOf } from './costs.mjs';
import { factsTable } from './facts.mjs';
import { markdownTable } from './table.mjs';

const GENERATED =
  '<!-- Made by `npm run docs:providers` from src/registry/profiles/; change the data or the text there. -->';

/**
 * The pages of docs/providers/: name of the file, and its text.
 *
 * @returns {[string, string][]}
 */
export function providerPages() {
  return [['README.md', index()], ...PROFILES.map((profile) => [`${profile.name}.md`, page(profile)])];
}

function page(profile) {
  const text = sectionsOf(profile.name);
  const costs = [...costsOf(profile), ...(text.has('Costs') ? ['', text.get('Costs')] : [])];
  const sections = [
    [profile.title, `${GENERATED}\n\n${recognition(profile)}`],
    ['Set-up', text.get('Set-up')],
    ['Deletion', deletion(profile)],
    ['Retention and immutability', text.get('Retention and immutability')],
    ['Costs to expect', costs.join('\n')],
    ['What is known', factsTable(profile)],
    ['Also to know', remarks(profile)],
  ];
  const filled = sections.filter(([, body]) => body);
  return `${filled.map(([title, body], at) => `${at === 0 ? '#' : '##'} ${title}\n\n${body}`).join('\n\n')}\n`;
}

/** The sections of the text beside the data, by title. */
function sectionsOf(name) {
  const text = readFileSync(new URL(`../../src/registry/profiles/${name}.md`, import.meta.url), 'utf8');
  const parts = text.split(/^## (.*)$/m).slice(1);
  const sections = new Map();
  for (let at = 0; at < parts.length; at += 2) sections.set(parts[at], parts[at + 1].trim());
  return sections;
}

function recognition({ name, hosts, marks }) {
  if (name === 'generic') return 'What kloset-oci assumes of a registry that it does not know.';
  if (hosts.length > 0 && marks.length > 0)
    return `Recognised by its host name, and on other hosts by its answers; \`profile=${name}\` says it beforehand.`;
  if (hosts.length > 0) return 'Recognised by its host name.';
  return `Recognised by its answers; \`profile=${name}\` says it beforehand, so that nothing has to be found out.`;
}

function deletion({ deletion: { byTag, byDigest, whileTagged, blobs, reclaims } }) {
  const ways = [
    ['by tag', byTag],
    ['by digest', byDigest],
    ['of blobs', blobs],
  ];
  const known = ways.map(([way, fact]) => {
    const untagged = fact === byDigest && whileTagged?.value === false;
    return `- ${way}: ${yesNo(fact)}${untagged ? ', once no tag names it' : ''}`;
  });
  return [...known, '', reclaims.value].join('\n');
}

function remarks({ remarks: list }) {
  return list.map(({ value, source }) => `- ${value} (${source})`).join('\n');
}

const yesNo = (fact) => (fact ? (fact.value ? 'yes' : 'no') : 'found out');

function form({ upload: { mode, chunks, singlePost } }) {
  if (chunks?.value === false) return 'one body, never chunks';
  if (mode?.value === 'monolithic') return 'one body';
  return singlePost?.value ? 'one request' : 'found out';
}

function index() {
  const rows = PROFILES.map((profile) => [
    `[${profile.title}](${profile.name}.md)`,
    `\`${profile.name}\``,
    profile.hosts.length > 0 ? 'host name' : profile.marks.length > 0 ? 'answers' : recognisedAs(profile),
    form(profile),
    yesNo(profile.deletion.byTag),
    yesNo(profile.deletion.byDigest),
    immutable(profile),
  ]);
  const head = [
    'registry',
    'profile',
    'recognised by',
    'upload',
    'delete by tag',
    'by digest',
    'immutable tags',
  ];
  return `# Registries

${GENERATED}

How to set up a store on each of them, its limits, what deletion does there and what a backup costs. What kloset-oci
knows of a registry it does not find out at the registry's expense; each fact has its source on the page.
\`kloset-oci doctor LOCATION\` finds out what a registry at hand really does ([doctor](../doctor.md)).

${markdownTable(head, rows)}

Everywhere: give a store a repository of its own, and keep rules of retention away from it. A packfile is an artifact
with a tag of its own; a rule that deletes by age, by count or by "not pulled lately" deletes the oldest packfiles,
which hold the data that never changed, and no backup notices before a restore does. \`kloset-oci verify LOCATION\`
does.
`;
}

function recognisedAs({ name }) {
  return name.startsWith('registry') ? 'answers' : '-';
}

function immutable({ tags: { immutability } }) {
  if (!immutability) return 'unknown';
  return immutability.value === 'never' ? 'no' : 'can be set';
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The licences of everything that the package carries, as one text: all of them ask to travel with the code.
 *
 * @param {Map<string, string>} folders the folder of each part, by its name
 */
export function licencesOf(folders) {
  return [...folders]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, folder]) => `${'='.repeat(78)}\n${name}\n${'='.repeat(78)}\n\n${licenceIn(name, folder)}`)
    .join('\n\n');
}

function licenceIn(name, folder) {
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no licence file in ${folder}`);
  return readFileSync(join(folder, file), 'utf8').trimEnd();
}

// Writes docs/providers/: one page per registry, from the profiles in src/registry/profiles/ and the text beside them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { providerPages } from './providers/pages.mjs';

const folder = fileURLToPath(new URL('../docs/providers/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, text] of providerPages()) writeFileSync(`${folder}${name}`, text);

import { CONTENT_COLUMNS, UPLOAD_COLUMNS } from '../../emulator/profiles/describe.ts';
import { PROFILES } from '../../emulator/profiles/index.ts';
import { Output } from '../output.ts';
import type { CommonFlags } from '../storeOptions.ts';

/** `registry profiles`: what the embedded registry can be, and how each one differs. */
export function registryProfiles(flags: CommonFlags): void {
  const output = new Output(flags);
  for (const profile of Object.values(PROFILES)) {
    output.event({ event: 'profile', ...profile });
    output.line(`${profile.name}: ${profile.title}`);
    for (const { title, cell } of [...UPLOAD_COLUMNS, ...CONTENT_COLUMNS]) {
      const text = cell(profile);
      if (text !== '–') output.line(`  ${title.replaceAll('`', '')}: ${text.replaceAll('`', '')}`);
    }
  }
}

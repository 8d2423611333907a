import { writeFile } from 'node:fs/promises';
import { KlosetError } from '../errors.ts';

/** Writes a report, or an empty file before it is made: what it is about would be lost where it cannot be kept. */
export async function writeReport(path: string, content: string): Promise<void> {
  await writeFile(path, content).catch((cause) => {
    throw new KlosetError('FILE_WRITE_FAILED', 'the report cannot be written', {
      object: path,
      remedy: 'Name a file in a folder that you may write to.',
      cause,
    });
  });
}

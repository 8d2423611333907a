import { createInterface } from 'node:readline/promises';
import { KlosetError } from '../errors.ts';

/**
 * Asks a yes-or-no question on the terminal.
 *
 * @throws KlosetError USAGE where there is nobody to ask
 */
export async function confirm(question: string, signal?: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new KlosetError('USAGE', 'this needs a confirmation, and there is no terminal to ask on', {
      remedy: 'Add --yes.',
    });
  }
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await reader.question(`${question} [y/N] `, signal ? { signal } : {});
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    reader.close();
  }
}

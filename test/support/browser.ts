/** Where Chromium is, which looks at the pages that this project writes. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const ENVIRONMENT = 'KLOSET_OCI_CHROMIUM';
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * The path of a Chromium: what KLOSET_OCI_CHROMIUM names, else on PATH. Without one the tests that need it are skipped
 * with a line that says so; in CI it is an error, since a skip would look like success there.
 */
export function findBrowser(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const places = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const found = [process.env[ENVIRONMENT], ...places].find((path) => path && isProgram(path));
  if (found) return found;
  const reason = `no Chromium: it is looked for as ${NAMES.join(', ')} on PATH, and in ${ENVIRONMENT}`;
  if (process.env.CI) throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

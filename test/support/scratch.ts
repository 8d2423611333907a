/** Scratch folders that are removed with everything in them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Scratch {
  readonly path: string;
  remove(): Promise<void>;
}

export async function scratch(name: string, parent: string = tmpdir()): Promise<Scratch> {
  const path = await mkdtemp(join(parent, `kloset-oci-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

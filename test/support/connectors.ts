/** The package files of the two connectors for `oci://`. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { peer } from './peers.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const INPUTS = ['src/**/*.ts', 'scripts/**/*.mjs', 'packaging/plakar/*', 'package-lock.json'];

export type ConnectorName = 'ours' | 'go';

/** The path of a connector's package; ours is built when its sources are newer. */
export function connectorPackage(name: ConnectorName): string {
  if (name === 'go') return peer('go-connector');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const path = join(root, 'dist-package', `oci_v${version}_linux_amd64.ptar`);
  const changedMs = Math.max(...globSync(INPUTS, { cwd: root }).map((file) => modifiedMs(join(root, file))));
  if (modifiedMs(path) < changedMs) build();
  return path;
}

function build(): void {
  const done = spawnSync(process.execPath, ['scripts/plakarPackage.mjs'], { cwd: root, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`the package could not be built:\n${done.stderr}`);
}

function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

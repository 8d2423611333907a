import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../bundle.mjs';
import { licencesOf } from './licences.mjs';
import { manifestYaml } from './manifest.mjs';
import { copyRuntime } from './runtime.mjs';
import { optionsSchema } from './schema.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const STATIC_FILES = ['oci-storage', 'start.js', 'icon.svg'];

/**
 * Lays out the files of the package, flat, and writes the manifest that names them.
 *
 * @param {{target: string, runtime: string, folder: string, manifest: string}} what `runtime` is a folder with Node
 *   for the target, `folder` takes the files and is emptied before, `manifest` is the path of the manifest, in that
 *   folder or above it
 */
export async function layOut({ target, runtime, folder, manifest }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const into = (name) => join(folder, name);

  const { files: bundled, packages } = await bundle('src/plugin/main.ts', folder);
  for (const name of STATIC_FILES) copyFileSync(join(root, 'packaging/plakar', name), into(name));
  chmodSync(into('oci-storage'), 0o755);
  writeFileSync(into('options.schema.json'), `${JSON.stringify(optionsSchema(), null, 2)}\n`);
  copyFileSync(join(root, 'LICENSE'), into('LICENSE'));
  const licences = licencesOf(new Map([...packages, ['Node.js', runtime]]));
  writeFileSync(into('THIRD-PARTY-LICENSES'), `${licences}\n`);
  copyRuntime(join(runtime, 'bin/node'), into('node'), target);

  const { license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const below = relative(dirname(manifest), folder);
  const extraFiles = [...['node', 'start.js', 'icon.svg', 'LICENSE', 'THIRD-PARTY-LICENSES'], ...bundled];
  writeFileSync(manifest, manifestYaml({ license, prefix: below && `${below}/`, extraFiles }));
}

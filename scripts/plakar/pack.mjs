import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** The path of plakar: in the folder that KLOSET_OCI_PEERS names, or on PATH. */
export function findPlakar() {
  const folders = [process.env.KLOSET_OCI_PEERS ?? '', ...(process.env.PATH ?? '').split(delimiter)];
  const found = folders.filter(Boolean).map((folder) => join(folder, 'plakar'));
  const program = found.find(isProgram);
  if (program === undefined) {
    throw new Error(
      'plakar was not found. It packs the files: install it (https://www.plakar.io), or name its folder in KLOSET_OCI_PEERS.',
    );
  }
  return program;
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Makes the package file of a manifest. */
export function pack(plakar, manifest, version, packed) {
  // plakar refuses to write over a file. Its caches go into a home of their own, not the user's.
  rmSync(packed, { force: true });
  const home = mkdtempSync(join(tmpdir(), 'kloset-oci-package-'));
  try {
    const done = spawnSync(plakar, ['pkg', 'create', '-out', packed, manifest, version], {
      cwd: home,
      env: { PATH: process.env.PATH, HOME: home },
      encoding: 'utf8',
    });
    if (done.status !== 0) {
      rmSync(packed, { force: true });
      throw new Error(`plakar pkg create failed: ${done.error?.message ?? done.stderr}`);
    }
    // plakar makes it readable by its owner only, as it would a store.
    chmodSync(packed, 0o644);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Where the programs of other people are that the end-to-end tests and benchmarks run beside ours. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const ENVIRONMENT = 'KLOSET_OCI_PEERS';

/** The Go connector is a package file rather than a program; it has a name here like the programs. */
const FILES: Record<string, string> = {
  'go-connector': 'go-connector/oci_v1.1.0-beta.4_linux_amd64.ptar',
};

/** The path of a peer: first in the folder that KLOSET_OCI_PEERS names, then on PATH. */
function findPeer(name: string): string | undefined {
  const file = FILES[name] ?? name;
  const folder = process.env[ENVIRONMENT];
  if (folder && isUsable(join(folder, file), name)) return join(folder, file);
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((entry) => join(entry, file))
    .find((path) => isUsable(path, name));
}

/** The path of a peer that has to be there. */
export function peer(name: string): string {
  const path = findPeer(name);
  if (path === undefined) throw new Error(explain([name]));
  return path;
}

/** Whether a peer is there, for who can do without it. */
export function hasPeer(name: string): boolean {
  return findPeer(name) !== undefined;
}

interface PeerCheck {
  found: boolean;
  /** Why the tests have to be skipped; empty when everything was found. */
  reason: string;
}

/** Looks for all the peers of a test file. In CI a missing one is a failure: a skip there would look like success. */
export function requirePeers(names: readonly string[]): PeerCheck {
  const missing = names.filter((name) => findPeer(name) === undefined);
  if (missing.length === 0) return { found: true, reason: '' };
  const reason = explain(missing);
  if (process.env.CI) throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return { found: false, reason };
}

function explain(missing: readonly string[]): string {
  return `not found: ${missing.join(', ')}; set ${ENVIRONMENT} to the folder of the unpacked peers (docker-registry and nginx-light are Debian's packages)`;
}

function isUsable(path: string, name: string): boolean {
  try {
    accessSync(path, name in FILES ? constants.R_OK : constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

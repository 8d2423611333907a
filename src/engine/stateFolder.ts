import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where what outlives a process is kept: what was learned about registries, journals of pushes. `KLOSET_OCI_STATE_DIR`,
 * else `kloset-oci` below `$XDG_STATE_HOME`, else below `~/.local/state`. It may not exist. Nothing in it is a
 * credential; journals hold locations of upload sessions, which are for the user alone.
 */
export function stateFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { KLOSET_OCI_STATE_DIR, XDG_STATE_HOME } = environment;
  if (KLOSET_OCI_STATE_DIR) return KLOSET_OCI_STATE_DIR;
  return join(XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'kloset-oci');
}

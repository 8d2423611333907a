import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where Docker keeps its file: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
export function dockerConfigPath(environment: NodeJS.ProcessEnv): string {
  return join(environment.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
}

/**
 * The files in which credentials are looked for, in this order: the one that REGISTRY_AUTH_FILE names, Docker's, then
 * Podman's as containers-auth.json(5) lists them.
 */
export function credentialsPaths(environment: NodeJS.ProcessEnv, platform = process.platform): string[] {
  const { REGISTRY_AUTH_FILE: named, XDG_RUNTIME_DIR: runtime, XDG_CONFIG_HOME: config } = environment;
  const paths: string[] = [];
  if (named) paths.push(named);
  paths.push(dockerConfigPath(environment));
  if (platform === 'linux') {
    const folder = runtime ? join(runtime, 'containers') : `/run/containers/${process.getuid?.() ?? 0}`;
    paths.push(join(folder, 'auth.json'));
  }
  paths.push(join(config || join(homedir(), '.config'), 'containers', 'auth.json'));
  return paths;
}

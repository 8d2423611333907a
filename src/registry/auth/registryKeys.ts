import type { CredentialTarget } from './credentials.ts';

/** What Docker calls its own registry in its files and to its helpers. */
const HUB_KEY = 'https://index.docker.io/v1/';

const HUB_NAMES = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/** The name under which a registry is known here, whatever it was called: Docker Hub has three. */
export function normalRegistry(registry: string): string {
  const lower = registry.toLowerCase();
  return HUB_NAMES.includes(lower) ? 'docker.io' : lower;
}

/** The key under which Docker files and helpers keep a registry. */
export function dockerKey(registry: string): string {
  const normal = normalRegistry(registry);
  return normal === 'docker.io' ? HUB_KEY : normal;
}

/**
 * A key of a credentials file in one form: `host`, or `host/namespace/…` as Podman has them. Docker has written
 * `https://host/v1/` and `https://host/v2/`.
 */
export function normalKey(key: string): string {
  const bare = key.replace(/^https?:\/\//i, '').replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  const host = normalRegistry(slash < 0 ? bare : bare.slice(0, slash));
  const path = slash < 0 ? '' : bare.slice(slash + 1);
  return path === '' || /^v[12]$/.test(path) ? host : `${host}/${path}`;
}

/** The keys that would do for a target, the most specific one first. */
export function keysFor({ registry, repository }: CredentialTarget): string[] {
  const keys = [normalRegistry(registry)];
  for (const part of repository.split('/')) if (part !== '') keys.unshift(`${keys[0]}/${part}`);
  return keys;
}

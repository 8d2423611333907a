import { type CredentialsFile, helperFor, readCredentialsFile } from './credentialsFile.ts';
import { credentialsPaths, dockerConfigPath } from './credentialsPaths.ts';
import { eraseFromHelper, storeInHelper } from './helper.ts';
import { dockerKey, normalKey, normalRegistry } from './registryKeys.ts';

/** Where a login is kept. */
export interface LoginPlace {
  readonly kind: 'file' | 'helper';
  /** The file, or the name of the helper program. */
  readonly name: string;
}

/** What storing and erasing logins needs. */
export interface LoginOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Replaces a file as a whole. */
  readonly write: (path: string, text: string) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Stores a login where Docker and Podman find it: in the helper that is configured, else in the file that
 * REGISTRY_AUTH_FILE names, else in Docker's.
 *
 * @throws KlosetError CREDENTIALS_UNUSABLE, CANCELLED, and what `write` throws
 */
export async function storeLogin(
  registry: string,
  username: string,
  password: string,
  options: LoginOptions,
): Promise<LoginPlace> {
  const { environment, write, signal } = options;
  const path = environment.REGISTRY_AUTH_FILE || dockerConfigPath(environment);
  const file = await readCredentialsFile(path);
  const server = dockerKey(registry);
  const name = file && helperFor(file, { registry, repository: '' });
  if (file && name) {
    await storeInHelper({ name, file: path, server, signal, environment }, username, password);
    return { kind: 'helper', name: `docker-credential-${name}` };
  }
  const auth = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
  // Another spelling of the same registry must not live on beside it.
  const { auths } = without(file, registry);
  await write(path, textOf({ ...file?.content, auths: { ...auths, [server]: { auth } } }));
  return { kind: 'file', name: path };
}

/** Erases a login wherever it is. @returns where it was; @throws as {@link storeLogin} */
export async function eraseLogin(registry: string, options: LoginOptions): Promise<LoginPlace[]> {
  const { environment, write, signal } = options;
  const places: LoginPlace[] = [];
  for (const path of credentialsPaths(environment)) {
    const file = await readCredentialsFile(path);
    if (!file) continue;
    const name = helperFor(file, { registry, repository: '' });
    const server = dockerKey(registry);
    if (name && (await eraseFromHelper({ name, file: path, server, signal, environment }))) {
      places.push({ kind: 'helper', name: `docker-credential-${name}` });
    }
    const { auths, found } = without(file, registry);
    if (!found) continue;
    await write(path, textOf({ ...file.content, auths }));
    places.push({ kind: 'file', name: path });
  }
  return places;
}

function without(
  file: CredentialsFile | undefined,
  registry: string,
): { auths: Record<string, unknown>; found: boolean } {
  const all = Object.entries(file?.auths ?? {});
  const kept = all.filter(([key]) => normalKey(key) !== normalRegistry(registry));
  return { auths: Object.fromEntries(kept), found: kept.length < all.length };
}

// As Docker writes it.
function textOf(content: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(content, undefined, '\t')}\n`;
}

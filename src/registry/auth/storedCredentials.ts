import type { Credentials, CredentialTarget } from './credentials.ts';
import { entryFor, helperFor, readCredentialsFile } from './credentialsFile.ts';
import { credentialsPaths } from './credentialsPaths.ts';
import { getFromHelper } from './helper.ts';
import { dockerKey } from './registryKeys.ts';

/** Where stored credentials are looked for. */
export interface StoredOptions {
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly helperTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Credentials as Docker and Podman keep them: the first file that has some wins; in a file, the helper that it names
 * comes before its `auths`.
 *
 * @throws KlosetError CREDENTIALS_UNUSABLE, CANCELLED
 */
export async function storedCredentials(
  target: CredentialTarget,
  options: StoredOptions = {},
): Promise<Credentials | undefined> {
  const { environment = process.env, helperTimeoutMs, signal } = options;
  for (const path of credentialsPaths(environment)) {
    const file = await readCredentialsFile(path);
    if (!file) continue;
    const name = helperFor(file, target);
    const server = dockerKey(target.registry);
    const found =
      name !== undefined
        ? await getFromHelper({ name, file: path, server, signal, timeoutMs: helperTimeoutMs, environment })
        : undefined;
    const credentials = found ?? entryFor(file, target);
    if (credentials) return credentials;
  }
  return undefined;
}

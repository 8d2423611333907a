import { readlink, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { KlosetError } from '../../errors.ts';
import { readCredentialsFile } from '../../registry/auth/credentialsFile.ts';
import { dockerConfigPath } from '../../registry/auth/credentialsPaths.ts';
import { eraseLogin, type LoginOptions, storeLogin } from '../../registry/auth/storedLogins.ts';
import { writeAtomically } from '../../store/atomicFile.ts';
import { checkLogin, registryReference } from '../../store/loginCheck.ts';
import { ociStoreOptions, warningsAbout } from '../../store/storeSettings.ts';
import { askLine, askSecret, readStdin } from '../askSecret.ts';
import { interruptSignal } from '../interrupt.ts';
import { Output } from '../output.ts';
import { type CommonFlags, storeSettings } from '../storeOptions.ts';

/** `login`: checks user name and password at a registry and stores them where Docker and Podman find them. */
export async function login(
  registry: string,
  flags: CommonFlags & { username?: string; passwordStdin?: boolean },
): Promise<void> {
  const output = new Output(flags);
  const settings = storeSettings({ ...flags, username: undefined });
  const reference = registryReference(hostOf(registry), settings.useTls);
  const { environment, write } = storage();
  // A file that cannot be used is found out before anybody types a password.
  await readCredentialsFile(environment.REGISTRY_AUTH_FILE || dockerConfigPath(environment));
  const username = flags.username ?? (await askLine('User name: ', 'Add --username NAME.'));
  if (username === '' || username.includes(':')) {
    throw new KlosetError('USAGE', 'a user name is not empty and has no colon');
  }
  const password = flags.passwordStdin
    ? await readStdin()
    : await askSecret(`Password of ${username}: `, 'Add --password-stdin, and send the password to stdin.');
  if (password === '') throw new KlosetError('USAGE', 'the password is empty');

  const signal = interruptSignal();
  for (const warning of warningsAbout(settings)) output.warn(warning);
  const { http, tls } = ociStoreOptions(settings);
  const verdict = await checkLogin(reference, { username, password }, { http, tls }, signal);
  const place = await storeLogin(reference.registry, username, password, { environment, write, signal });
  if (verdict === 'unasked') {
    output.note(`${reference.registry} does not ask for a login; it was stored all the same.`);
  }
  if (place.kind === 'file') {
    output.note(
      `warning: the password is in ${place.name}, which is not encrypted; a credential helper would keep it safe (docs/credentials.md).`,
    );
  }
  output.line(`logged in to ${reference.registry}, kept in ${place.name}`);
  output.event({ event: 'login', registry: reference.registry, kind: place.kind, place: place.name });
}

/** `logout`: erases a login wherever it is kept. */
export async function logout(registry: string, flags: CommonFlags): Promise<void> {
  const output = new Output(flags);
  const { registry: host } = registryReference(hostOf(registry), undefined);
  const places = await eraseLogin(host, { ...storage(), signal: interruptSignal() });
  output.line(
    places.length === 0
      ? `there was no login to ${host}`
      : `logged out of ${host}, removed from ${places.map(({ name }) => name).join(' and ')}`,
  );
  output.event({ event: 'logout', registry: host, places });
}

/** A host as it is, or that of a location. */
function hostOf(text: string): string {
  return (
    text
      .replace(/^(?:oci|https?):\/\//i, '')
      .split('/')
      .at(0) ?? ''
  );
}

function storage(): Pick<LoginOptions, 'environment' | 'write'> {
  return {
    environment: process.env,
    write: async (path, text) => {
      // The rename would put a file in the place of a link to one.
      const target = await realpath(path).catch(() => linkTarget(path));
      await writeAtomically(target, [Buffer.from(text)]);
    },
  };
}

/** Where a link to a file leads that is not there yet. */
function linkTarget(path: string): Promise<string> {
  return readlink(path).then(
    (target) => resolve(dirname(path), target),
    () => path,
  );
}

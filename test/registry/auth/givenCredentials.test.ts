import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenCredentials } from '../../../src/registry/auth/givenCredentials.ts';
import { type CredentialHome, credentialHome } from '../../support/credentialHome.ts';

let home: CredentialHome;
let secretFile: string;
beforeAll(async () => {
  home = await credentialHome();
  secretFile = join(home.path, 'secret');
  await home.write(secretFile, ' in a file \r\nsecond line\n');
});
afterAll(() => home.remove());

describe('given credentials', () => {
  it('come from options, then from the environment', async () => {
    const environment = { KLOSET_OCI_USERNAME: 'eve', KLOSET_OCI_PASSWORD: 'env' };
    expect(givenCredentials({}, {})).toBeUndefined();
    expect(givenCredentials({}, { KLOSET_OCI_USERNAME: '', KLOSET_OCI_TOKEN: '' })).toBeUndefined();
    const read = async (...[options, env]: Parameters<typeof givenCredentials>) =>
      givenCredentials(options, env)?.();
    expect(await read({}, environment)).toEqual({
      kind: 'password',
      username: 'eve',
      password: 'env',
      from: 'the environment',
    });
    expect(await read({ username: 'adam' }, environment)).toMatchObject({
      username: 'adam',
      password: 'env',
    });
    expect(await read({ password: 'opt' }, environment)).toMatchObject({
      username: 'eve',
      password: 'opt',
      from: 'the options',
    });
    expect(await read({ username: 'adam', passwordFile: secretFile }, {})).toMatchObject({
      username: 'adam',
      password: ' in a file ',
    });
    expect(await read({ token: 't' }, environment)).toEqual({
      kind: 'bearer',
      token: 't',
      from: 'the options',
    });
    expect(await read({}, { KLOSET_OCI_TOKEN: 'e' })).toMatchObject({ kind: 'bearer', token: 'e' });
    expect(await read({ username: 'a', password: 'b' }, { KLOSET_OCI_TOKEN: 'e' })).toMatchObject({
      kind: 'password',
    });
  });

  it.each([
    [{ username: 'me' }, /user name without a password.*password_file/],
    [{ password: 'p' }, /password without a user name.*KLOSET_OCI_USERNAME/],
    [{ username: 'me', password: 'p', passwordFile: 'f' }, /password and password_file exclude/],
    [{ token: 't', tokenFile: 'f' }, /token and token_file exclude/],
    [{ token: 't', username: 'me', password: 'p' }, /token and password exclude/],
    [{ username: 'a:b', password: 'p' }, /no colon/],
  ])('that contradict themselves are refused before any request: %j', (options, said) => {
    expect(() => givenCredentials(options, {})).toThrow(said);
  });

  it('in files that are missing, empty or no tokens are refused by name', async () => {
    const missing = join(home.path, 'missing');
    const empty = join(home.path, 'empty');
    await home.write(empty, '\n\n');
    const read = async (options: Parameters<typeof givenCredentials>[0]) => givenCredentials(options, {})?.();
    await expect(read({ username: 'me', passwordFile: missing })).rejects.toThrow(
      /missing: .*password_file cannot be read/,
    );
    await expect(read({ tokenFile: empty })).rejects.toThrow(/empty: .*token_file is empty/);
    await expect(read({ tokenFile: secretFile })).rejects.toThrow(/characters that no token has/);
  });
});

import { KlosetError } from '../../errors.ts';
import type { RequestKind } from '../transport.ts';
import type { Credentials } from './credentials.ts';
import { normalRegistry } from './registryKeys.ts';

/** Which registry and repository an error is about. */
export interface AuthPlace {
  readonly registry: string;
  readonly repository: string;
}

/** The registry wants credentials and there are none. */
export function loginNeeded(place: AuthPlace, kind: RequestKind): KlosetError {
  return new KlosetError('AUTH_REQUIRED', `the registry wants a login ${purpose(kind)}, and there is none`, {
    ...about(place),
    remedy: loginRemedy(place),
  });
}

/** Wrong user name or password, or a token that is none any more. */
export function credentialsRefused(place: AuthPlace, credentials: Credentials, by: string): KlosetError {
  const what =
    credentials.kind === 'password' ? 'user name or password is wrong' : 'the token is wrong or has ended';
  return new KlosetError('AUTH_REQUIRED', `${by} refuses the credentials from ${credentials.from}: ${what}`, {
    ...about(place),
    remedy:
      credentials.from.startsWith('docker-credential-') || credentials.from.startsWith('the ')
        ? `Check them. Some registries want an access token in place of the password.`
        : loginRemedy(place),
  });
}

/** Credentials are right and do not go that far; or nobody may do it without a login. */
export function rightsMissing(
  place: AuthPlace,
  credentials: Credentials | undefined,
  kind: RequestKind,
): KlosetError {
  if (!credentials) return loginNeeded(place, kind);
  return new KlosetError(
    'ACCESS_DENIED',
    `the account (credentials from ${credentials.from}) has no right ${purpose(kind)}`,
    {
      ...about(place),
      remedy:
        'Give it that right at the registry, or use another account. Some registries answer this for a repository that does not exist.',
    },
  );
}

/** A token that its service has just given and the registry does not know. */
export function freshTokenRefused(place: AuthPlace, service: string): KlosetError {
  return new KlosetError(
    'TOKEN_SERVICE_FAILED',
    `the registry refuses a token that its own token service ${service} has just given`,
    {
      ...about(place),
      remedy: 'Clocks or keys of the two differ: ask the operator of the registry.',
    },
  );
}

/** The registry offers nothing that these credentials, or we, can do. */
export function schemeUnsupported(
  place: AuthPlace,
  offered: readonly string[],
  credentials: Credentials | undefined,
): KlosetError {
  const names = offered.join(', ');
  if (offered.length === 0) {
    return new KlosetError('AUTH_REQUIRED', 'the registry answers 401 and does not say how to log in', {
      ...about(place),
      remedy: 'Check host and port: a proxy or a web server may answer in its place.',
    });
  }
  if (credentials && offered.includes('basic')) {
    return new KlosetError(
      'AUTH_REQUIRED',
      `the registry takes user name and password only, and the credentials from ${credentials.from} are a token`,
      { ...about(place), remedy: loginRemedy(place) },
    );
  }
  return new KlosetError('AUTH_REQUIRED', `the registry asks for ${names}, which is not supported`, {
    ...about(place),
    remedy: 'Basic and Bearer are.',
  });
}

/** As {@link KlosetError} details have it; a login has no repository. */
export function about({ registry, repository }: AuthPlace): { registry: string; status: number } {
  return { registry: repository === '' ? registry : `${registry}/${repository}`, status: 401 };
}

function loginRemedy({ registry }: AuthPlace): string {
  return `Log in with "kloset-oci login ${normalRegistry(registry)}", or set KLOSET_OCI_USERNAME and KLOSET_OCI_PASSWORD.`;
}

function purpose(kind: RequestKind): string {
  switch (kind) {
    case 'blob-delete':
    case 'manifest-delete':
    case 'upload-cancel':
      return 'to delete from this repository';
    case 'upload-start':
    case 'upload-chunk':
    case 'upload-commit':
    case 'upload-status':
    case 'manifest-write':
      return 'to push to this repository';
    case 'login':
    case 'ping':
    case 'token':
      return 'to use it';
    default:
      return 'to read this repository';
  }
}

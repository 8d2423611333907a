import type { AuthOptions, ChallengeOptions, GuardedRequest } from '../auth/options.ts';
import type { ProfileSettings } from './behaviourOf.ts';
import type { AuthProfile } from './profile.ts';

/** The way in which a provider asks for the credentials of these users. */
export function authOf(
  profile: AuthProfile,
  users: AuthOptions['users'],
  settings: Pick<ProfileSettings, 'anonymous' | 'tokenLifeMs' | 'now'>,
): AuthOptions {
  const { scheme, service, tokenPath, showsLife, field, post, scopes } = profile;
  const { anonymous, tokenLifeMs = profile.tokenLifeMs, now } = settings;
  const challenge: ChallengeOptions = {
    ...(service !== undefined && { service }),
    ...(scopes !== undefined && SCOPES[scopes]),
  };
  return {
    scheme,
    users,
    ...(anonymous && { anonymous }),
    challenge,
    tokens: {
      ...(tokenPath !== undefined && { path: tokenPath }),
      ...(tokenLifeMs !== undefined && { tokenLifeMs }),
      ...(showsLife !== undefined && { showsLife }),
      ...(field !== undefined && { field }),
      ...(post !== undefined && { post }),
    },
    ...(now && { now }),
  };
}

const SCOPES: Record<NonNullable<AuthProfile['scopes']>, ChallengeOptions> = {
  'two-in-one': {
    scope: (request, usual) => (request.repository === '' ? usual : scopesOf(request).join(' ')),
  },
  'metadata-read': {
    scope: (request, usual) =>
      request.route === 'tags' ? `repository:${request.repository}:metadata_read` : pushFirst(usual),
  },
  'without-first-part': {
    repositoryName: (name) => name.slice(name.indexOf('/') + 1),
  },
};

/** Each action in a scope of its own. */
function scopesOf({ method, repository }: GuardedRequest): string[] {
  const actions =
    method === 'GET' || method === 'HEAD'
      ? ['pull']
      : method === 'DELETE'
        ? ['delete', 'pull']
        : ['pull', 'push'];
  return actions.map((action) => `repository:${repository}:${action}`);
}

function pushFirst(scope: string | undefined): string | undefined {
  return scope?.replace(':pull,push', ':push,pull');
}

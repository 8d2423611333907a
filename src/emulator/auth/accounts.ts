import type { Action, AuthOptions, AuthUser, Right } from './options.ts';

/** Somebody who was let in. */
export interface Account {
  /** Empty for those without credentials. */
  readonly name: string;
  readonly rights: readonly Right[];
}

const EVERYTHING: readonly Right[] = [{ repositories: '*', actions: ['pull', 'push', 'delete'] }];

/** The users of a registry. */
export class Accounts {
  readonly anonymous: Account | undefined;
  readonly #users: ReadonlyMap<string, AuthUser>;

  constructor(options: AuthOptions) {
    this.#users = new Map(Object.entries(options.users));
    this.anonymous = options.anonymous && { name: '', rights: options.anonymous };
  }

  byPassword(name: string, password: string): Account | undefined {
    const user = this.#users.get(name);
    return user && user.password === password ? account(name, user) : undefined;
  }

  byIdentityToken(token: string): Account | undefined {
    for (const [name, user] of this.#users) {
      if (user.identityToken !== undefined && user.identityToken === token) return account(name, user);
    }
    return undefined;
  }

  /** The account behind an `Authorization: Basic` header; undefined for a wrong one, and for another scheme. */
  byBasic(header: string | undefined): Account | undefined {
    const match = /^basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '');
    if (!match?.[1]) return undefined;
    const pair = Buffer.from(match[1], 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    return colon < 0 ? undefined : this.byPassword(pair.slice(0, colon), pair.slice(colon + 1));
  }
}

/** Whether an account may do something with a repository. */
export function allows(account: Account, repository: string, action: string): boolean {
  return account.rights.some(
    ({ repositories, actions }) =>
      matches(repositories, repository) && (actions as readonly string[]).includes(rightBehind(action)),
  );
}

// Azure's registry asks for metadata_read where others ask for pull.
function rightBehind(action: string): Action | string {
  return action === 'metadata_read' ? 'pull' : action;
}

function account(name: string, user: AuthUser): Account {
  return { name, rights: user.rights ?? EVERYTHING };
}

function matches(pattern: string, repository: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(repository);
}

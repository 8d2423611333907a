import type { RouteName } from '../faults.ts';

/** What a user may do with a repository. */
export type Action = 'pull' | 'push' | 'delete';

/** Actions on the repositories that a pattern matches. */
export interface Right {
  /** A repository name in which `*` stands for any run of characters. */
  readonly repositories: string;
  readonly actions: readonly Action[];
}

export interface AuthUser {
  readonly password: string;
  /** Default: everything everywhere. */
  readonly rights?: readonly Right[];
  /** A refresh token that the token service takes for this user, as `docker login` may keep one. */
  readonly identityToken?: string;
}

/** A request as the guard sees it. */
export interface GuardedRequest {
  readonly method: string;
  readonly route: RouteName;
  /** Empty for `/v2/`. */
  readonly repository: string;
}

/** How challenges are spelt. */
export interface ChallengeOptions {
  /**
   * The `scope` of a Bearer challenge; `undefined` leaves it out.
   *
   * @param usual what CNCF distribution would write: scopes separated by spaces, or `undefined` for `/v2/`
   */
  readonly scope?: (request: GuardedRequest, usual: string | undefined) => string | undefined;
  /** The name that a repository has in scopes; default: its own. Artifactory leaves the first part out. */
  readonly repositoryName?: (repository: string) => string;
  /** Where both schemes are offered: in one header, or in a header each. Default: one header. */
  readonly layout?: 'one-header' | 'two-headers';
  /** The URL of the token service; default: `path` on this server, by the name that the client used. */
  readonly realm?: string;
  /** The `service` parameter; default `kloset-oci-emulator`. `null` leaves it out. */
  readonly service?: string | null;
  /** Status for a token without the needed scope; default 401 with `insufficient_scope`, as the specification says. */
  readonly insufficientScope?: 401 | 403;
}

/** How the token service behaves. */
export interface TokenServiceOptions {
  /** Default `/token`. */
  readonly path?: string;
  /** How long a token is good for, in milliseconds. Default 300,000, as on Docker Hub. */
  readonly tokenLifeMs?: number;
  /** Default true: `expires_in` tells the life, in whole seconds, rounded down but never to 0. */
  readonly showsLife?: boolean;
  /** The field of the answer that holds the token. Default `token`. */
  readonly field?: 'token' | 'access_token' | 'both';
  /** `jwt`: tokens look like JWTs and carry `exp`. Default `opaque`. */
  readonly form?: 'opaque' | 'jwt';
  /** `oauth2` serves POST (default); a status refuses it, as services do that only know GET. */
  readonly post?: 'oauth2' | 400 | 401 | 404 | 405;
  /** What a request without a scope is good for. Default `nothing`: such a token only gets past `/v2/`. */
  readonly withoutScope?: 'nothing' | 'everything';
}

/** Who may do what, and how they prove it. */
export interface AuthOptions {
  readonly scheme: 'basic' | 'bearer' | 'both';
  readonly users: Readonly<Record<string, AuthUser>>;
  /** What everybody may do without credentials. Default: nothing. */
  readonly anonymous?: readonly Right[];
  readonly challenge?: ChallengeOptions;
  readonly tokens?: TokenServiceOptions;
  /** Milliseconds since any start; default `Date.now`. */
  readonly now?: () => number;
}

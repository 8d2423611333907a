/** What proves who we are, and where it was found, for messages: a file, a helper, the environment. */
export type Credentials = { readonly from: string } & (
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** A refresh token, which a token service turns into access tokens. */
  | { readonly kind: 'identity'; readonly token: string; readonly username?: string | undefined }
  /** An access token as it goes to the registry. */
  | { readonly kind: 'bearer'; readonly token: string }
);

/** Which credentials are looked for. */
export interface CredentialTarget {
  /** `HOST[:PORT]` as the user wrote it. */
  readonly registry: string;
  /** Podman keeps credentials per repository, too. Empty for those of the registry as a whole. */
  readonly repository: string;
}

/** Finds credentials; undefined where there are none. @throws KlosetError CREDENTIALS_UNUSABLE, USAGE, CANCELLED */
export type CredentialSource = (
  target: CredentialTarget,
  signal?: AbortSignal,
) => Promise<Credentials | undefined>;

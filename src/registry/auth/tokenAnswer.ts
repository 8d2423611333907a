/** What a token service gave. */
export interface GrantedToken {
  readonly token: string;
  /** How long it is good for, in milliseconds from the moment it was asked for. */
  readonly lifeMs: number;
  /** For next time, where the service changes it. */
  readonly refreshToken?: string | undefined;
}

/** The token specification of CNCF distribution: what holds where the answer says nothing, in milliseconds. */
const DEFAULT_LIFE_MS = 60_000;

/**
 * Reads the JSON of a token service.
 *
 * @param nowMs milliseconds since 1970, for tokens that say themselves when they end
 * @returns the token, or what is wrong with the answer, in words that quote nothing of it
 */
export function parseTokenAnswer(text: string, nowMs: number): GrantedToken | string {
  let answer: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'is no JSON object';
    answer = parsed as Record<string, unknown>;
  } catch {
    return /^\s*</.test(text) ? 'is a web page' : 'is not JSON';
  }
  const token = answer.token || answer.access_token;
  if (token === undefined || token === '' || token === null) return 'has no token';
  // What is no visible ASCII would be a header of the server's making.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return 'has a malformed token';
  const told = Number(answer.expires_in);
  const refreshToken = answer.refresh_token;
  return {
    token,
    lifeMs: told > 0 ? Math.min(told, 1e9) * 1000 : (lifeOfJwt(token, nowMs) ?? DEFAULT_LIFE_MS),
    refreshToken: typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : undefined,
  };
}

/** The life that a JWT tells itself; between two clocks its issue time is the better start. */
function lifeOfJwt(token: string, nowMs: number): number | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const { exp, iat } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<
      string,
      unknown
    >;
    if (typeof exp !== 'number') return undefined;
    const lifeMs = typeof iat === 'number' ? (exp - iat) * 1000 : exp * 1000 - nowMs;
    return lifeMs > 0 && lifeMs < 1e12 ? lifeMs : undefined;
  } catch {
    return undefined;
  }
}

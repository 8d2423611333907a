import { basicHeader } from '../registry/auth/basic.ts';
import { discardBody } from '../registry/body.ts';
import { type Exchange, sendForHead } from '../registry/exchange.ts';
import { ping } from '../registry/ping.ts';
import { parseReference, type Reference } from '../registry/reference.ts';
import { type ExchangeOptions, openExchange } from './openExchange.ts';

/** A registry as a whole. @throws KlosetError LOCATION_INVALID */
export function registryReference(registry: string, useTls: boolean | undefined): Reference {
  return { ...parseReference(`oci://${registry}/any`, { useTls }), repository: '' };
}

/**
 * Tries user name and password at a registry's `/v2/`.
 *
 * @returns `unasked` where the registry lets everybody in and does not look at credentials
 * @throws KlosetError AUTH_REQUIRED for wrong ones, and all that a registry can fail with
 */
export async function checkLogin(
  reference: Reference,
  login: { readonly username: string; readonly password: string },
  options: ExchangeOptions,
  signal: AbortSignal,
): Promise<'checked' | 'unasked'> {
  const { exchange, close } = openExchange(reference, { ...options, credentials: login });
  try {
    await ping(exchange, signal);
    const before = await strangers(exchange, signal);
    // Where strangers come in, credentials may still be looked at: zot does, with anonymous reading.
    const headers = before === 200 ? { authorization: basicHeader(login.username, login.password) } : {};
    const url = doorOf(exchange);
    await sendForHead(exchange, { kind: 'login', method: 'GET', url, headers, signal }, [200]);
    return before === 200 ? 'unasked' : 'checked';
  } finally {
    await close();
  }
}

async function strangers(exchange: Exchange, signal: AbortSignal): Promise<number> {
  const answer = await exchange.transport({ kind: 'ping', method: 'GET', url: doorOf(exchange), signal });
  await discardBody(answer);
  return answer.status;
}

function doorOf({ reference }: Exchange): URL {
  return new URL('/v2/', reference.origin);
}

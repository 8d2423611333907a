import { buildConnector, Pool } from 'undici';
import type { HttpClient } from './httpClient.ts';
import { type ConnectionLimits, POOL_OPTIONS } from './poolOptions.ts';
import type { TlsConnect } from './tls.ts';
import { endingOnFirstError } from './tlsConnector.ts';
import { undiciClient } from './undiciClient.ts';

/** undici without a proxy: `KLOSET_OCI_HTTP=undici`. The oracle of our own client, and what to try where that fails. */
export function poolClient(
  origin: string,
  { connections, connectTimeoutMs: timeout }: ConnectionLimits,
  tls: TlsConnect | undefined,
): HttpClient {
  const connect = tls ? endingOnFirstError(buildConnector({ timeout, allowH2: false, ...tls })) : { timeout };
  return undiciClient(new Pool(origin, { ...POOL_OPTIONS, connections, connect }));
}

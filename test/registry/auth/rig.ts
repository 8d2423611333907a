/** A registry that asks for credentials, and a client with an environment of its own. */
import {
  type Exchange as Arrival,
  type AuthOptions,
  type RunningRegistry,
  startRegistry,
} from '../../../src/emulator/index.ts';
import { VirtualClock } from '../../../src/flow/clock.ts';
import { type AuthOptions as ClientOptions, credentialsPolicy } from '../../../src/registry/auth/policy.ts';
import { composeTransport } from '../../../src/registry/compose.ts';
import { type Exchange, makeExchange } from '../../../src/registry/exchange.ts';
import { httpTransport } from '../../../src/registry/httpTransport.ts';
import { parseReference } from '../../../src/registry/reference.ts';
import { RequestCounter } from '../../../src/registry/requestStats.ts';
import { FAST_RETRY } from '../../engine/rig.ts';
import { type CredentialHome, credentialHome } from '../../support/credentialHome.ts';

export const REPOSITORY = 'team/store';

const USERS = {
  owner: { password: 'o:wn', identityToken: 'long-lived' },
  reader: { password: 'look', rights: [{ repositories: '*', actions: ['pull'] }] },
  writer: { password: 'write', rights: [{ repositories: '*', actions: ['pull', 'push'] }] },
} as const satisfies AuthOptions['users'];

export const EVERYBODY_READS = [{ repositories: '*', actions: ['pull'] }] as const;

interface ClientRig extends Exchange {
  readonly counter: RequestCounter;
  readonly clock: VirtualClock;
  close(): Promise<void>;
}

export interface AuthRig {
  readonly registry: RunningRegistry;
  readonly home: CredentialHome;
  /** A client that knows nothing yet. */
  client(options?: Partial<Omit<ClientOptions, 'reference' | 'clock'>> & { host?: string }): ClientRig;
  close(): Promise<void>;
}

/** The registry's clock is the client's, which moves when it is told to. */
export async function startAuthRig(auth: Partial<AuthOptions> = {}): Promise<AuthRig> {
  const registry = await startRegistry({ auth: { scheme: 'bearer', users: USERS, ...auth } });
  const home = await credentialHome();
  const clients: ClientRig[] = [];
  return {
    registry,
    home,
    client: ({ host = '127.0.0.1', ...options } = {}) => {
      const reference = parseReference(`oci://${host}:${registry.port}/${REPOSITORY}`, { useTls: false });
      const counter = new RequestCounter();
      const clock = new VirtualClock();
      const http = httpTransport();
      const policy = FAST_RETRY;
      const credentials = credentialsPolicy({
        reference,
        policy,
        clock,
        environment: home.environment,
        helperTimeoutMs: 5000,
        ...options,
      });
      const transport = composeTransport(http.send, { counter, credentials, origin: reference.origin });
      const client = {
        ...makeExchange(reference, transport, { policy, clock }),
        counter,
        clock,
        close: http.close,
      };
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) await client.close();
      await registry.close();
      await home.remove();
    },
  };
}

export const OWNER = { username: 'owner', password: 'o:wn' };

/** What reached the registry: method and route, with the scopes of token requests. */
export function watch(registry: RunningRegistry): string[] {
  const seen: string[] = [];
  registry.setFaults({
    before: ({ method, route, query, headers }: Arrival) => {
      const scheme = headers.authorization?.split(' ')[0] ?? 'nobody';
      const scopes = query.getAll('scope').map((scope) => ` ${scope}`);
      seen.push(`${method} ${route} ${scheme}${route === 'token' ? scopes.join('') : ''}`);
      return undefined;
    },
  });
  return seen;
}

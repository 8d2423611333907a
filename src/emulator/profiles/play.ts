import type { AuthOptions } from '../auth/options.ts';
import type { Behaviour } from '../behaviour.ts';
import type { Catalogue } from '../catalogue.ts';
import { HttpServer, type TlsIdentity } from '../httpServer.ts';
import { send } from '../sender.ts';
import type { Storage } from '../storage.ts';
import { authOf } from './authOf.ts';
import { behaviourOf, type ProfileSettings } from './behaviourOf.ts';
import { Collector } from './collector.ts';
import { PROFILES, type ProfileName } from './index.ts';
import type { EmulatorProfile } from './profile.ts';
import { StorageHost, type StorageRequest, storageOrigin } from './storageHost.ts';

/** A profile at work: the behaviour of a registry, and the storage host behind it. */
export interface PlayedProfile {
  readonly behaviour: Behaviour;
  /** Absent where there are no users. */
  readonly auth: AuthOptions | undefined;
  readonly collector: Collector;
  storageRequests(): readonly StorageRequest[];
  close(): Promise<void>;
}

/** The registry that a profile is played on. */
export interface ProfilePlace {
  readonly storage: Storage;
  readonly catalogue: Catalogue;
  readonly host: string;
  readonly tls: TlsIdentity | undefined;
}

const SIGNED_URL_LIFE_MS = 20 * 60_000;

/** Makes the behaviour of a profile, with a storage host on a port of its own where blobs come from one. */
export async function playProfile(
  chosen: ProfileName | EmulatorProfile,
  settings: ProfileSettings,
  place: ProfilePlace,
): Promise<PlayedProfile> {
  const profile = typeof chosen === 'string' ? PROFILES[chosen] : chosen;
  const { storage, catalogue, host, tls } = place;
  const secure = tls !== undefined;
  const collector = new Collector();
  const { users, now = Date.now, signedUrlLifeMs = SIGNED_URL_LIFE_MS } = settings;
  const auth = users && authOf(profile.auth, users, settings);
  if (profile.blobs.bytes === 'direct') {
    const signedUrl = () => '';
    return {
      behaviour: behaviourOf(profile, settings, { secure, signedUrl, collector }),
      auth,
      collector,
      storageRequests: () => [],
      close: async () => {},
    };
  }
  const sizes = (digest: string) => catalogue.blobBytes(digest);
  const files = new StorageHost(storage, sizes, { lifeMs: signedUrlLifeMs, now });
  const server = new HttpServer(host, tls, (request, response) => {
    const entry = {
      method: '',
      route: 'blob',
      path: '',
      status: 0,
      requestBytes: 0,
      responseBytes: 0,
    } as const;
    void files
      .answer(request)
      .then((answer) => send(response, answer, { ...entry }))
      .catch(() => response.destroy());
  });
  const port = await server.listen(0);
  return {
    behaviour: behaviourOf(profile, settings, {
      secure,
      signedUrl: (call, digest) => `${storageOrigin(call.headers.host, port, secure)}${files.sign(digest)}`,
      collector,
    }),
    auth,
    collector,
    storageRequests: () => files.requests(),
    close: () => server.close(),
  };
}

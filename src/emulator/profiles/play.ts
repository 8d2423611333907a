import type { AddressInfo } from 'node:net';
import type { Behaviour } from '../behaviour.ts';
import type { Catalogue } from '../catalogue.ts';
import { closeServer, createHttpServer, listen, type TlsKeys } from '../httpServer.ts';
import { send } from '../sender.ts';
import type { Storage } from '../storage.ts';
import { behaviourOf, type ProfileSettings } from './behaviourOf.ts';
import { Collector } from './collector.ts';
import { PROFILES, type ProfileName } from './index.ts';
import type { EmulatorProfile } from './profile.ts';
import { StorageHost, type StorageRequest, storageOrigin } from './storageHost.ts';

/** A profile at work: the behaviour of a registry, and the storage host behind it. */
export interface PlayedProfile {
  readonly behaviour: Behaviour;
  readonly collector: Collector;
  storageRequests(): readonly StorageRequest[];
  close(): Promise<void>;
}

const SIGNED_URL_LIFE_MS = 20 * 60_000;

/** Makes the behaviour of a profile, with a storage host on a port of its own where blobs come from one. */
export async function playProfile(
  chosen: ProfileName | EmulatorProfile,
  settings: ProfileSettings,
  place: { storage: Storage; catalogue: Catalogue; host: string; tls: TlsKeys | undefined },
): Promise<PlayedProfile> {
  const profile = typeof chosen === 'string' ? PROFILES[chosen] : chosen;
  const { storage, catalogue, host, tls } = place;
  const secure = tls !== undefined;
  const collector = new Collector();
  if (profile.blobs.bytes === 'direct') {
    const signedUrl = () => '';
    return {
      behaviour: behaviourOf(profile, settings, { secure, signedUrl, collector }),
      collector,
      storageRequests: () => [],
      close: async () => {},
    };
  }
  const { now = Date.now, signedUrlLifeMs = SIGNED_URL_LIFE_MS } = settings;
  const files = new StorageHost(storage, (digest) => catalogue.blobBytes(digest), {
    lifeMs: signedUrlLifeMs,
    now,
  });
  const server = createHttpServer(tls, (request, response) => {
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
  await listen(server, host, 0);
  const { port } = server.address() as AddressInfo;
  return {
    behaviour: behaviourOf(profile, settings, {
      secure,
      signedUrl: (call, digest) => `${storageOrigin(call.headers.host, port, secure)}${files.sign(digest)}`,
      collector,
    }),
    collector,
    storageRequests: () => files.requests(),
    close: () => closeServer(server),
  };
}

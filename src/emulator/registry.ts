import type { RequestListener } from 'node:http';
import { isIPv6 } from 'node:net';
import { KlosetError } from '../errors.ts';
import { Guard } from './auth/guard.ts';
import type { AuthOptions } from './auth/options.ts';
import { SPECIFIED } from './behaviour.ts';
import { removeBlob } from './blobs.ts';
import { Catalogue } from './catalogue.ts';
import type { Context } from './context.ts';
import { DirectoryStorage } from './directoryStorage.ts';
import { serveExchange } from './exchange.ts';
import { FaultRunner } from './faultRunner.ts';
import type { FaultControls, FaultPlan } from './faults.ts';
import { HttpServer, type TlsIdentity } from './httpServer.ts';
import { KeyedLock } from './keyedLock.ts';
import { MemoryStorage } from './memoryStorage.ts';
import type { ProfileSettings } from './profiles/behaviourOf.ts';
import type { ProfileName } from './profiles/index.ts';
import type { PlayedProfile, ProfilePlace } from './profiles/play.ts';
import type { EmulatorProfile } from './profiles/profile.ts';
import type { StorageRequest } from './profiles/storageHost.ts';
import { type LoggedRequest, type RequestFilter, RequestLog } from './requestLog.ts';
import type { Storage, StoredContent } from './storage.ts';
import { UploadSessions } from './uploadSessions.ts';

export interface RegistryOptions {
  /** The address to listen on; default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Where to keep the content; absent: in memory. */
  directory?: string;
  /** Flush each stored file to the disk before answering. Default false: safe from a crash of the process. */
  durable?: boolean;
  faults?: FaultPlan;
  /** Answer `/_kloset-oci/…` too: faults, counts and sessions for other programs. Loopback addresses only. */
  control?: boolean;
  /** Who may do what; absent: everybody everything, or the users of the profile. */
  auth?: AuthOptions;
  tls?: TlsIdentity;
  /** Behaves like this registry, by name or as data of your own. Default: as the specification says. */
  profile?: ProfileName | EmulatorProfile;
  /** What the profile leaves open. */
  profileSettings?: ProfileSettings;
}

export interface OpenSession {
  readonly repository: string;
  readonly id: string;
  readonly bytes: number;
}

export interface RunningRegistry {
  readonly host: string;
  readonly port: number;
  /** For example `http://127.0.0.1:5000`. */
  readonly url: string;
  /** The host and port, as they stand in an image reference. */
  readonly address: string;
  countRequests(filter?: RequestFilter): number;
  /** The latest 10,000 requests, oldest first. */
  requestLog(): readonly LoggedRequest[];
  resetRequestLog(): void;
  openSessions(): readonly OpenSession[];
  /** Drops all upload sessions, as a restart of a registry does. */
  forgetSessions(): Promise<void>;
  setFaults(plan: FaultPlan | undefined): void;
  /** Access tokens given out so far. */
  tokensIssued(): number;
  /** Makes all tokens invalid, as a change of the signing key does. Passwords and identity tokens stay good. */
  revokeTokens(): void;
  /** Replaces the stored bytes of a blob behind the registry's back, in every repository. */
  corruptBlob(repository: string, digest: string, bytes: Uint8Array): Promise<void>;
  /** Loses a blob of one repository; manifests that name it stay. */
  dropBlob(repository: string, digest: string): Promise<void>;
  /** What the storage host of a profile was asked, which serves the blobs where the profile redirects to one. */
  storageRequests(): readonly StorageRequest[];
  /** Has garbage collection at a blob until it is uploaded again, where the profile tells clients of that. */
  collectBlob(repository: string, digest: string): void;
  /** Ends all sockets and sessions. */
  close(): Promise<void>;
}

/** Starts an OCI registry. Without `auth` it serves everybody: meant for loopback and test networks. */
export async function startRegistry(options: RegistryOptions = {}): Promise<RunningRegistry> {
  const { host = '127.0.0.1', port = 0, directory } = options;
  const storage =
    directory === undefined ? new MemoryStorage() : new DirectoryStorage(directory, options.durable ?? false);
  const catalogue = new Catalogue(await loadContent(storage, directory));
  const played = await playedProfile(options, { storage, catalogue, host, tls: options.tls });
  const auth = options.auth ?? played?.auth;
  const context: Context = {
    storage,
    catalogue,
    sessions: new UploadSessions(storage),
    lock: new KeyedLock(),
    behaviour: played?.behaviour ?? SPECIFIED,
    guard: auth && new Guard(auth),
  };
  const log = new RequestLog();
  let faults: FaultRunner | undefined;
  const serve: RequestListener = (request, response) => {
    void serveExchange(context, log, faults, request, response).catch(() => response.destroy());
  };
  const controlled = options.control && (await loadControl(host));
  const listener = controlled
    ? controlled(serve, { context, plan: () => faults?.plan, setFaults: (plan) => setFaults(plan) })
    : serve;
  const server = new HttpServer(host, options.tls, listener);
  const bound = await server.listen(port).catch(async (error: unknown) => {
    await played?.close();
    throw error;
  });
  const address = `${isIPv6(host) ? `[${host}]` : host}:${bound}`;
  const stored = (repository: string, digest: string) => {
    const known = catalogue.get(repository);
    const entry = known?.blobs.get(digest);
    if (known && entry) return { known, entry };
    throw new KlosetError('BLOB_MISSING', 'the registry has no such blob', { object: digest });
  };
  const controls: FaultControls = {
    restart(downMs) {
      void context.sessions.forgetAll();
      server.restart(downMs);
    },
    async dropSession(id) {
      await context.sessions.forget(id);
    },
    async dropBlob(repository, digest) {
      await removeBlob(context, catalogue.get(repository), digest);
    },
    limitConnections(most) {
      server.maxConnections = most;
    },
  };
  const setFaults = (plan: FaultPlan | undefined) => {
    faults?.stop();
    faults = plan && new FaultRunner(plan, controls);
  };
  setFaults(options.faults);
  return {
    host,
    port: bound,
    url: `${options.tls ? 'https' : 'http'}://${address}`,
    address,
    countRequests: (filter) => log.count(filter),
    requestLog: () => log.entries(),
    resetRequestLog: () => log.reset(),
    openSessions: () => context.sessions.list(),
    forgetSessions: () => context.sessions.forgetAll(),
    setFaults,
    tokensIssued: () => context.guard?.tokens.issued ?? 0,
    revokeTokens: () => context.guard?.tokens.revokeAll(),
    async corruptBlob(repository, digest, bytes) {
      const { entry } = stored(repository, digest);
      await storage.replaceBlob(digest, bytes);
      entry.size = bytes.length;
    },
    async dropBlob(repository, digest) {
      await removeBlob(context, stored(repository, digest).known, digest);
    },
    storageRequests: () => played?.storageRequests() ?? [],
    collectBlob: (repository, digest) => played?.collector.mark(repository, digest),
    async close() {
      faults?.stop();
      await server.close();
      await played?.close();
      await context.sessions.forgetAll();
    },
  };
}

async function playedProfile(
  { profile, profileSettings = {} }: RegistryOptions,
  place: ProfilePlace,
): Promise<PlayedProfile | undefined> {
  if (profile === undefined) return undefined;
  // Most registries start without one, some of them many times in a test.
  const { playProfile } = await import('./profiles/play.ts');
  return playProfile(profile, profileSettings, place);
}

async function loadControl(host: string) {
  if (!/^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(host)) {
    throw new KlosetError('USAGE', 'the control endpoint is for loopback addresses only', {
      object: host,
      remedy: 'Listen on 127.0.0.1, or leave the control endpoint out.',
    });
  }
  return (await import('./control.ts')).controlled;
}

async function loadContent(storage: Storage, directory: string | undefined): Promise<StoredContent> {
  try {
    return await storage.load();
  } catch (cause) {
    throw new KlosetError('FILE_WRITE_FAILED', `the folder cannot be used: ${messageOf(cause)}`, {
      ...(directory === undefined ? {} : { object: directory }),
      remedy: 'Name a folder that you may read and write.',
      cause,
    });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

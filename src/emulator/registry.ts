import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, isIPv6 } from 'node:net';
import { KlosetError } from '../errors.ts';
import { Guard } from './auth/guard.ts';
import type { AuthOptions } from './auth/options.ts';
import { removeBlob } from './blobs.ts';
import { Catalogue } from './catalogue.ts';
import type { Context } from './context.ts';
import { DirectoryStorage } from './directoryStorage.ts';
import { serveExchange } from './exchange.ts';
import { FaultRunner } from './faultRunner.ts';
import type { FaultPlan } from './faults.ts';
import { KeyedLock } from './keyedLock.ts';
import { MemoryStorage } from './memoryStorage.ts';
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
  /** Who may do what; absent: everybody everything. */
  auth?: AuthOptions;
  tls?: { key: string | Buffer; cert: string | Buffer };
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
  /** Ends all sockets and sessions. */
  close(): Promise<void>;
}

/** Starts an OCI registry. Without `auth` it serves everybody: meant for loopback and test networks. */
export async function startRegistry(options: RegistryOptions = {}): Promise<RunningRegistry> {
  const { host = '127.0.0.1', port = 0, directory } = options;
  const storage =
    directory === undefined ? new MemoryStorage() : new DirectoryStorage(directory, options.durable ?? false);
  const catalogue = new Catalogue(await loadContent(storage, directory));
  const context: Context = {
    storage,
    catalogue,
    sessions: new UploadSessions(storage),
    lock: new KeyedLock(),
    guard: options.auth && new Guard(options.auth),
  };
  const log = new RequestLog();
  let faults = options.faults && new FaultRunner(options.faults);
  const server = createHttpServer(options.tls, (request, response) => {
    void serveExchange(context, log, faults, request, response).catch(() => response.destroy());
  });
  await listen(server, host, port);
  const bound = (server.address() as AddressInfo).port;
  const address = `${isIPv6(host) ? `[${host}]` : host}:${bound}`;
  const stored = (repository: string, digest: string) => {
    const known = catalogue.get(repository);
    const entry = known?.blobs.get(digest);
    if (known && entry) return { known, entry };
    throw new KlosetError('BLOB_MISSING', 'the registry has no such blob', { object: digest });
  };
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
    setFaults(plan) {
      faults = plan && new FaultRunner(plan);
    },
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
    async close() {
      if (server.listening) {
        const ended = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeAllConnections();
        await ended;
      }
      await context.sessions.forgetAll();
    },
  };
}

function createHttpServer(tls: RegistryOptions['tls'], listener: RequestListener): Server {
  const options: ServerOptions = {
    noDelay: true,
    keepAlive: true,
    // An upload may take hours; a head of 64 KiB has room for many `tag` parameters.
    requestTimeout: 0,
    headersTimeout: 120_000,
    keepAliveTimeout: 75_000,
    maxHeaderSize: 64 << 10,
  };
  return tls ? createTlsServer({ ...options, ...tls }, listener) : createServer(options, listener);
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

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw new KlosetError('USAGE', taken ? 'the port is in use' : `cannot listen: ${messageOf(cause)}`, {
      object: `${host}:${port}`,
      remedy: taken
        ? 'Choose another port, or 0 for any free one.'
        : 'Choose an address of this machine and a port that you may open.',
      cause,
    });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Exchange, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { KlosetError } from '../../src/errors.ts';
import type { Backend } from '../../src/plugin/backend.ts';
import { runPlugin } from '../../src/plugin/lifecycle.ts';
import type { CallHandler, HostConnection } from '../../src/plugin/transport.ts';
import { type Running, start as startProcess } from '../support/processes.ts';
import { fakeCall, settle } from './support/fakeCall.ts';
import { encode, frame } from './support/grpcClient.ts';
import { type StartedPlugin, spawnPlugin, startPlugin } from './support/startPlugin.ts';

const MIB = 1024 * 1024;
const HOST = fileURLToPath(new URL('./support/hostChild.ts', import.meta.url));
// What the issue of a hang would be measured by; the plugin takes a fraction of it.
const BOUND_MS = 8000;
const mac = Buffer.alloc(32, 1);
const TYPE = { packfile: 1, state: 2 };

/** The bytes of an object on their way; not those of the configuration that all objects share. */
const isUpload = ({ route, headers }: Exchange) =>
  route === 'upload-session' && Number(headers['content-length']) > 1000;
const isBlobRead = ({ method, route }: Exchange) => route === 'blob' && method === 'GET';

let registry: RunningRegistry;
let location: string;

beforeEach(async () => {
  registry = await startRegistry();
  location = `oci://${registry.address}/my-org/store`;
});
afterEach(() => registry.close());

async function nothingIsLeft(): Promise<void> {
  await vi.waitFor(() => expect(registry.openSessions()).toEqual([]), { timeout: BOUND_MS });
  expect(registry.countRequests({ method: 'PUT', route: 'manifest' })).toBe(0);
}

describe('a plugin whose host', () => {
  let plugin: StartedPlugin;

  beforeEach(async () => {
    plugin = startPlugin();
    // In chunks, since that is the form that has a session from the start to the end.
    await plugin.client.ok('Init', { proto: 'oci', config: { location, upload_mode: 'chunked' } });
  });
  afterEach(async () => {
    plugin.child.kill('SIGKILL');
    await plugin.exited;
  });

  const beginPut = (type = TYPE.packfile) => {
    const call = plugin.client.open('Put');
    call.stream.on('error', () => {});
    call.outcome.catch(() => {});
    call.stream.write(frame(encode('PutRequest', { mac, type })));
    return call;
  };
  const wholePut = (type: number) => {
    const call = beginPut(type);
    call.stream.end(frame(encode('PutRequest', { chunk: Buffer.alloc(2 * MIB, 7) })));
    return call;
  };
  const uploadIsUnderWay = () =>
    vi.waitFor(() => expect(registry.countRequests({ method: 'PATCH' })).toBeGreaterThan(0), BOUND_MS);

  it('hangs up while idle ends at once', async () => {
    const startedMs = performance.now();
    expect(await plugin.hangUp()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(BOUND_MS);
    expect(plugin.stderr()).toBe('');
  });

  it('hangs up in the middle of a Put leaves nothing behind', async () => {
    const { stream } = beginPut();
    await new Promise<void>((resolve) =>
      stream.write(frame(encode('PutRequest', { chunk: Buffer.alloc(MIB, 7) })), () => resolve()),
    );
    expect(await plugin.hangUp()).toBe(0);
    await nothingIsLeft();
  });

  it.each([
    ['a packfile', TYPE.packfile],
    ['a state', TYPE.state],
  ])('hangs up while the registry takes %s leaves no upload session', async (_, type) => {
    registry.setFaults({ before: (exchange) => (isUpload(exchange) ? { kind: 'stall' } : undefined) });
    wholePut(type);
    await uploadIsUnderWay();
    expect(await plugin.hangUp()).toBe(0);
    await nothingIsLeft();
    expect(plugin.stderr()).toBe('');
  });

  it('resets a Put leaves no upload session, and goes on', async () => {
    registry.setFaults({ before: (exchange) => (isUpload(exchange) ? { kind: 'stall' } : undefined) });
    const { stream } = wholePut(TYPE.state);
    await uploadIsUnderWay();
    stream.close(8);
    await nothingIsLeft();
    registry.setFaults(undefined);
    expect((await plugin.client.put(mac, TYPE.state, Buffer.from('again'))).status).toBe(0);
    expect((await plugin.client.get({ mac, type: TYPE.state })).toString()).toBe('again');
  });

  it('resets a Get goes on', async () => {
    // Up to 4 MiB are held back until their digest is right: longer ones begin at once.
    await plugin.client.put(mac, TYPE.state, Buffer.alloc(6 * MIB, 9));
    registry.setFaults({
      before: (exchange) =>
        isBlobRead(exchange) ? { kind: 'stall-response', afterResponseBytes: MIB } : undefined,
    });
    const { stream, outcome } = plugin.client.open('Get');
    outcome.catch(() => {});
    stream.end(frame(encode('GetRequest', { mac, type: TYPE.state })));
    await new Promise<void>((resolve) => stream.once('data', () => resolve()));
    stream.close(8);
    registry.setFaults(undefined);
    expect(await plugin.client.get({ mac, type: TYPE.state })).toHaveLength(6 * MIB);
  });

  it('tells it to terminate ends, after the call under way', async () => {
    const { stream, outcome } = beginPut();
    await plugin.client.ok('Ping');
    plugin.child.kill('SIGTERM');
    stream.end(frame(encode('PutRequest', { chunk: Buffer.from('the rest') })));
    expect((await outcome).status).toBe(0);
    expect((await plugin.exited).code).toBe(0);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('sends %s while idle ends at once', async (signal) => {
    plugin.child.kill(signal);
    expect(await plugin.exited).toEqual({ code: 0, signal: null });
  });
});

describe('a host that is killed', () => {
  let host: Running | undefined;
  afterEach(async () => {
    host?.signal('SIGKILL');
    await host?.exited;
  });

  it.each([
    ['while idle', 'idle'],
    ['in the middle of a Put', 'half-put'],
    ['while the registry stalls with its Put', 'put'],
    ['while the registry stalls with its Get', 'get'],
  ])('%s takes the plugin along', async (_, kind) => {
    if (kind === 'get') {
      const first = startPlugin();
      await first.client.ok('Init', { proto: 'oci', config: { location } });
      await first.client.put(mac, 1, Buffer.alloc(MIB, 1));
      await first.client.ok('Close');
      await first.hangUp();
      registry.resetRequestLog();
    }
    registry.setFaults({
      before: (exchange) => (isUpload(exchange) || isBlobRead(exchange) ? { kind: 'stall' } : undefined),
    });
    host = startProcess(process.execPath, [HOST, location, kind]);
    const [, pid] = await host.waitForLine(/^plugin (\d+)/);
    const ready = { put: { method: 'PATCH' }, get: { method: 'GET', route: 'blob' } as const }[kind];
    if (ready) await vi.waitFor(() => expect(registry.countRequests(ready)).toBeGreaterThan(0), BOUND_MS);
    expect(isAlive(Number(pid))).toBe(true);
    host.signal('SIGKILL');
    await vi.waitFor(() => expect(isAlive(Number(pid))).toBe(false), { timeout: BOUND_MS, interval: 20 });
    await vi.waitFor(() => expect(registry.openSessions()).toEqual([]), BOUND_MS);
    expect(registry.countRequests({ method: 'PUT', route: 'manifest' })).toBe(0);
  });
});

describe('a plugin that cannot go on', () => {
  it.each([
    ['an unknown transport', { KLOSET_OCI_TRANSPORT: 'quic' }, 'KLOSET_OCI_TRANSPORT is "quic"'],
    [
      'an error that nobody catches',
      { NODE_OPTIONS: '--import=data:text/javascript,setTimeout(()=>{throw(new(Error)("boom"))},300)' },
      'boom',
    ],
    [
      'a promise that nobody catches',
      { NODE_OPTIONS: '--import=data:text/javascript,setTimeout(()=>{Promise.reject("bang")},300)' },
      'bang',
    ],
  ])('ends with one line: %s', async (_, env: Record<string, string>, said) => {
    const { exited, stderr } = spawnPlugin(env);
    expect((await exited).code).toBe(1);
    expect(stderr()).toMatch(/^kloset-oci: the plugin ended: [^\n]*\n$/);
    expect(stderr()).toContain(said);
  });
});

describe('what goes over the pipes', () => {
  it('is HTTP/2 and nothing else, also with things to say', async () => {
    const { child, exited, stderr } = spawnPlugin();
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stdin.write('GET / HTTP/1.1\r\nHost: plugin\r\n\r\n');
    const { code } = await exited;
    expect(code).toBe(1);
    expect(stderr()).toMatch(/^kloset-oci: \[CONNECTION_LOST\] the host broke HTTP\/2 [^\n]*\n$/);
    expect(framesOf(Buffer.concat(chunks))).toContain(7);
  });
});

describe('the end of the plugin', () => {
  interface Rig {
    readonly run: Promise<boolean>;
    readonly log: string[];
    readonly shutdowns: number[];
    readonly handle: CallHandler;
    readonly closed: PromiseWithResolvers<KlosetError | undefined>;
  }

  function rig(options: { close?: () => Promise<void>; stop?: AbortSignal }): Rig {
    const closed = Promise.withResolvers<KlosetError | undefined>();
    const log: string[] = [];
    const shutdowns: number[] = [];
    let handle: CallHandler = () => {};
    const connection: HostConnection = {
      closed: closed.promise,
      shutdown: async (graceMs) => {
        shutdowns.push(graceMs);
        closed.resolve(undefined);
      },
    };
    const backend = {
      identity: { origin: 'o', type: 'oci', root: 'r' },
      releaseLocks: async () => {},
      close: options.close ?? (async () => {}),
    };
    const run = runPlugin({
      pipes: { inputFd: 0, outputFd: 1 },
      serveHost: (_, onCall) => {
        handle = onCall;
        return connection;
      },
      openBackend: () => backend as unknown as Backend,
      log: (line) => log.push(line),
      stop: options.stop ?? new AbortController().signal,
      graceMs: 20,
    });
    return { run, log, shutdowns, closed, handle: (call) => handle(call) };
  }

  async function open({ handle }: Rig): Promise<void> {
    const call = fakeCall('/store.Store/Init');
    handle(call);
    call.send(frame(encode('InitRequest', { config: { location: 'oci://localhost/a' } })));
    call.close();
    await call.ended;
  }

  it('stops waiting for a store that does not end', async () => {
    const plugin = rig({ close: () => new Promise(() => {}) });
    await open(plugin);
    plugin.closed.resolve(undefined);
    expect(await plugin.run).toBe(false);
    expect(plugin.log).toEqual([expect.stringMatching(/could not be ended within 0.02 s/)]);
  });

  it('tells what a store could not write in the end', async () => {
    const plugin = rig({
      close: () => Promise.reject(new KlosetError('UPLOAD_REFUSED', 'a packfile\nwas refused')),
    });
    await open(plugin);
    plugin.closed.resolve(undefined);
    expect(await plugin.run).toBe(false);
    expect(plugin.log).toEqual(['[UPLOAD_REFUSED] a packfile was refused.']);
  });

  it('tells how the host broke the connection', async () => {
    const plugin = rig({});
    plugin.closed.resolve(new KlosetError('CONNECTION_LOST', 'the host broke HTTP/2'));
    expect(await plugin.run).toBe(false);
    expect(plugin.log).toEqual(['[CONNECTION_LOST] the host broke HTTP/2.']);
  });

  it('shuts the connection down once, when it is told to stop', async () => {
    const stop = new AbortController();
    const plugin = rig({ stop: stop.signal });
    await settle();
    expect(plugin.shutdowns).toEqual([]);
    stop.abort();
    expect(await plugin.run).toBe(true);
    expect([plugin.shutdowns, plugin.log]).toEqual([[20], []]);
    expect(rig({ stop: stop.signal }).shutdowns).toEqual([20]);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The types of the frames that bytes are made of, to the last byte. */
function framesOf(bytes: Buffer): number[] {
  const types: number[] = [];
  let at = 0;
  while (at + 9 <= bytes.length) {
    types.push(bytes.readUInt8(at + 3));
    at += 9 + bytes.readUIntBE(at, 3);
  }
  expect(at).toBe(bytes.length);
  return types;
}

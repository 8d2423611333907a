import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { decode, encode, frame } from './support/grpcClient.ts';
import { type StartedPlugin, startPlugin } from './support/startPlugin.ts';

const MIB = 1024 * 1024;
const TYPES = { packfile: 1, state: 2, lock: 3, 'ecc-packfile': 4, 'ecc-state': 5 } as const;
const STATUS = { ok: 0, invalid: 3, missing: 5, exhausted: 8, precondition: 9, unimplemented: 12 } as const;
const macOf = (n: number) => Buffer.alloc(32, n);

describe.each([
  ['its own transport', {}],
  ["node's transport", { KLOSET_OCI_TRANSPORT: 'node' }],
])('the service over pipes, with %s', (_, env: Record<string, string>) => {
  let registry: RunningRegistry;
  let plugin: StartedPlugin;

  beforeEach(async () => {
    registry = await startRegistry();
    plugin = startPlugin(env);
  });
  afterEach(async () => {
    await plugin.hangUp();
    await registry.close();
  });

  const init = (options: Record<string, string> = {}) =>
    plugin.client.ok('Init', {
      proto: 'oci',
      config: { location: `oci://${registry.address}/my-org/store`, ...options },
    });

  it('answers every call of a life of a store', async () => {
    const { client } = plugin;
    expect(await init()).toEqual({
      origin: 'my-org/store',
      type: 'oci',
      root: `http://${registry.address}`,
      flags: 0,
    });
    const config = seededBytes(1, 700);
    expect(await client.ok('Create', { config })).toEqual({});
    expect(await client.ok('Open')).toEqual({ config: Buffer.from(config) });
    expect(await client.ok('Ping')).toEqual({});
    expect(await client.ok('Mode')).toEqual({ mode: 2 | 4 });
    expect(await client.ok('Size')).toEqual({ size: -1 });
    expect(await client.ok('Delete', { mac: macOf(1), type: TYPES.lock })).toEqual({});
    expect(await client.ok('Close')).toEqual({});
    expect(await plugin.hangUp()).toBe(0);
    expect(plugin.stderr()).toBe('');
  });

  it('keeps objects of every type, for hosts with and without flags', async () => {
    const { client } = plugin;
    await init();
    for (const [n, type] of Object.values(TYPES).entries()) {
      const flags = n % 2 === 0 ? undefined : 1;
      const withFlags = flags === undefined ? {} : { flags };
      const content = seededBytes(n, 3 * MIB + n);
      const put = await client.put(macOf(n), type, content, flags);
      expect([put.status, decode('PutResponse', put.messages[0] as Buffer)]).toEqual([
        STATUS.ok,
        { bytesWritten: content.length },
      ]);
      const request = { mac: macOf(n), type, ...withFlags };
      expect((await client.get(request)).equals(content)).toBe(true);
      const part = await client.get({ ...request, range: { offset: 2 * MIB - 5, length: MIB } });
      expect(part.equals(content.subarray(2 * MIB - 5, 3 * MIB - 5))).toBe(true);
      expect(await client.ok('List', { type, ...withFlags })).toEqual({ macs: [macOf(n)] });
      await client.ok('Delete', request);
      expect(await client.ok('List', { type, ...withFlags })).toEqual({ macs: [] });
      const gone = await client.call('Get', request);
      expect([gone.status, gone.message]).toEqual([
        STATUS.missing,
        expect.stringMatching(/^\[OBJECT_MISSING\]/),
      ]);
    }
  });

  it('takes an empty object, a lock again with other content, and a range without length', async () => {
    const { client } = plugin;
    await init();
    expect((await client.put(macOf(1), TYPES.state, new Uint8Array())).status).toBe(STATUS.ok);
    expect(await client.get({ mac: macOf(1), type: TYPES.state })).toHaveLength(0);
    for (const text of ['first', 'second']) {
      expect((await client.put(macOf(2), TYPES.lock, Buffer.from(text))).status).toBe(STATUS.ok);
      expect((await client.get({ mac: macOf(2), type: TYPES.lock })).toString()).toBe(text);
    }
    const none = await client.get({ mac: macOf(2), type: TYPES.lock, range: { offset: 2 } });
    expect(none).toHaveLength(0);
    const past = await client.call('Get', {
      mac: macOf(2),
      type: TYPES.lock,
      range: { offset: 99, length: 1 },
    });
    expect([past.status, past.message]).toEqual([STATUS.invalid, expect.stringMatching(/RANGE_INVALID.*99/)]);
  });

  it('serves many at once', async () => {
    const { client } = plugin;
    await init();
    const contents = Array.from({ length: 12 }, (_unused, n) => seededBytes(n, MIB + n * 100_000));
    const puts = await Promise.all(
      contents.map((content, n) => client.put(macOf(n), TYPES.packfile, content)),
    );
    expect(puts.map(({ status }) => status)).toEqual(contents.map(() => STATUS.ok));
    const gets = await Promise.all(
      contents.flatMap((content, n) =>
        [0, 1, 2, 3].map(async (quarter) => {
          const length = Math.floor(content.length / 4);
          const range = { offset: quarter * length, length };
          const bytes = await client.get({ mac: macOf(n), type: TYPES.packfile, range });
          return bytes.equals(content.subarray(range.offset, range.offset + length));
        }),
      ),
    );
    expect(gets).toEqual(gets.map(() => true));
  });

  it('says what is wrong in one sentence, with the status for it', async () => {
    const { client } = plugin;
    const before = await client.call('Open');
    expect([before.status, before.message]).toEqual([
      STATUS.invalid,
      '[REQUEST_INVALID] no store is open: the host has not called Init.',
    ]);
    await init();
    const missing = await client.call('Open');
    expect([missing.status, missing.message]).toEqual([
      STATUS.missing,
      `[STORE_MISSING] on ${registry.address}/my-org/store: there is no store. Check the location, or create a store first.`,
    ]);
    await client.ok('Create', { config: Buffer.from('x') });
    const exists = await client.call('Create', { config: Buffer.from('y') });
    expect([exists.status, exists.message]).toEqual([
      STATUS.precondition,
      expect.stringMatching(/^\[STORE_EXISTS\].*nothing was changed/),
    ]);
    const twice = await client.call('Init', { config: { location: `oci://${registry.address}/a/b` } });
    expect([twice.status, twice.message]).toEqual([STATUS.invalid, expect.stringMatching(/open already/)]);
  });

  it('pings a registry that has no store yet, and finds one that is gone', async () => {
    await init();
    await plugin.client.ok('Ping');
    await registry.close();
    const gone = await plugin.client.call('Ping');
    // Not UNAVAILABLE: the host would blame the plugin.
    expect([gone.status, gone.message]).toEqual([
      2,
      expect.stringMatching(/^\[REGISTRY_UNREACHABLE\].*runs\.$/),
    ]);
  });

  it('refuses what is no request', async () => {
    const { client } = plugin;
    const outcomeOf = (method: string, ...bytes: Uint8Array[]) => {
      const { stream, outcome } = client.open(method);
      stream.on('error', () => {});
      stream.end(Buffer.concat(bytes));
      return outcome;
    };
    const compressed = frame(Buffer.from('x'));
    compressed[0] = 1;
    const huge = Buffer.from([0, 0, 0x40, 0, 1]);
    const open = frame(encode('OpenRequest', {}));
    for (const [outcome, expected, reason] of [
      [outcomeOf('Open', compressed), STATUS.unimplemented, /compressed/],
      [outcomeOf('Open', huge), STATUS.exhausted, /MESSAGE_TOO_LARGE.*4194305/],
      [outcomeOf('Open'), STATUS.invalid, /one message in the request, got none/],
      [outcomeOf('Open', open, open), STATUS.invalid, /got more than one/],
      [outcomeOf('Open', open.subarray(0, 3)), STATUS.invalid, /ended within a message/],
      [outcomeOf('Get', frame(Buffer.from([0x0a, 0xff]))), STATUS.invalid, /cannot be read/],
      [outcomeOf('Put', frame(encode('PutRequest', { type: 1 }))), STATUS.invalid, /MAC of 32 bytes/],
      [outcomeOf('Vacuum', open), STATUS.unimplemented, /does not know the call \/store.Store\/Vacuum/],
      [outcomeOf('constructor', open), STATUS.unimplemented, /does not know the call/],
    ] as const) {
      const { status, message } = await outcome;
      expect([status, message]).toEqual([expected, expect.stringMatching(reason)]);
      expect(message).not.toContain('\n');
    }
  });
});

describe('options', () => {
  let plugin: StartedPlugin;
  beforeEach(() => {
    plugin = startPlugin();
  });
  afterEach(() => plugin.hangUp());

  it('nonsense is refused with key, value and what is expected', async () => {
    const location = 'oci://127.0.0.1:5000/a/b';
    for (const [config, reason] of [
      [{ location, concurrency: 'lots' }, /option concurrency: expected a whole number.*"lots".*store set/],
      [{ location, chunk_size: '8 parsecs' }, /option chunk_size: expected a size.*"8 parsecs"/],
      [{ location, upload_mode: 'fast' }, /option upload_mode: expected auto, chunked or monolithic.*"fast"/],
      [
        { location, allow_shared_repository: 'maybe' },
        /option allow_shared_repository: expected true or false.*"maybe"/,
      ],
      [{ location, stall_timeout: '-1s' }, /option stall_timeout: expected a time.*"-1s"/],
      [{}, /location of the store is missing.*oci:\/\//],
      [{ location: 'oci://127.0.0.1:5000' }, /LOCATION_INVALID.*repository is missing/],
      [{ location: 'oci://joe:hunter2@127.0.0.1/a' }, /LOCATION_INVALID.*credentials/],
    ] as const) {
      const { status, message } = await plugin.client.call('Init', { proto: 'oci', config });
      expect([status, message]).toEqual([STATUS.invalid, expect.stringMatching(reason)]);
      expect(message).not.toContain('hunter2');
    }
  });

  it('typing errors are named, other keys of the host are left alone, secrets stay secret', async () => {
    await plugin.client.ok('Init', {
      proto: 'oci',
      config: {
        location: 'oci://127.0.0.1:5000/a/b',
        memroy: 'sesame',
        'chunk-size': 'sesame',
        passphrase: 'sesame',
        passphrase_cmd: 'sesame',
        maintenance_window: 'sesame',
      },
    });
    expect(await plugin.hangUp()).toBe(0);
    expect(plugin.stderr().trimEnd().split('\n').sort()).toEqual([
      'kloset-oci: the option "chunk-size" is unknown and was ignored; did you mean chunk_size?',
      'kloset-oci: the option "memroy" is unknown and was ignored; did you mean memory?',
    ]);
  });
});

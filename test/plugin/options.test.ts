import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../src/plugin/options.ts';
import { parseBoolean, parseBytes, parseCount, parseDuration } from '../../src/store/optionValues.ts';
import { OPTIONS, type OptionDescription } from '../../src/store/storeSettings.ts';

const LOCATION = 'oci://localhost:5000/a/b';
const parse = (options: Record<string, string>) =>
  parseOptions(new Map(Object.entries({ location: LOCATION, ...options })));

/** What takes any text. */
const FREE: readonly OptionDescription['type'][] = ['text', 'file', 'secret'];

describe('options of a store', () => {
  it('are read into the settings of the engine', () => {
    expect(
      parse({
        use_tls: 'true',
        username: 'me',
        password: 'sesame',
        concurrency: '4',
        memory: '64MiB',
        cache_size: '1MiB',
        upload_mode: 'chunked',
        chunk_size: '8MiB',
        part_size: '2GiB',
        hasher: 'wasm',
        stall_timeout: '90s',
        tls_ca_file: '/ca.pem',
        tls_cert_file: 'cert.pem',
        tls_key_file: 'key.pem',
        tls_server_name: 'registry.example.org',
        tls_insecure_no_verify: 'false',
      }),
    ).toEqual({
      location: LOCATION,
      remarks: [],
      settings: {
        useTls: true,
        tls: {
          caFile: '/ca.pem',
          certFile: 'cert.pem',
          keyFile: 'key.pem',
          serverName: 'registry.example.org',
          insecureNoVerify: false,
        },
        credentials: { username: 'me', password: 'sesame' },
        concurrency: 4,
        memoryBytes: 64 * 1024 ** 2,
        cacheBytes: 1024 ** 2,
        uploadMode: 'chunked',
        chunkBytes: 8 * 1024 ** 2,
        partBytes: 2 * 1024 ** 3,
        hasher: 'wasm',
        stallTimeoutMs: 90_000,
      },
    });
    const { tls, ...others } = parse({}).settings;
    for (const value of Object.values({ ...tls, ...others })) expect(value).toBeUndefined();
  });

  it('are each refused by their names when they are nonsense', () => {
    for (const { name, type } of OPTIONS as readonly OptionDescription[]) {
      if (FREE.includes(type)) continue;
      expect(() => parse({ [name]: 'nonsense' })).toThrow(
        new RegExp(`USAGE\\] option ${name}: expected .*got "nonsense".*plakar store set NAME ${name}=`),
      );
    }
  });

  it('that are dangerous are remarked upon', () => {
    expect(parse({ tls_insecure_no_verify: 'true' }).remarks).toEqual([
      expect.stringMatching(/^tls_insecure_no_verify is set: certificates are not checked/),
    ]);
  });

  it('are described well enough to build a form from them', () => {
    const readers = { boolean: parseBoolean, size: parseBytes, count: parseCount, time: parseDuration };
    for (const option of OPTIONS as readonly OptionDescription[]) {
      expect(option.name).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(option.description).toMatch(/^[A-Z].*\.$/);
      if (option.type === 'choice') {
        expect(option.choices).toContain(option.defaultText);
        for (const choice of option.choices ?? [])
          expect(() => parse({ [option.name]: choice })).not.toThrow();
      } else if (!FREE.includes(option.type) && !option.defaultText.includes(' ')) {
        expect(() => readers[option.type as keyof typeof readers](option.defaultText)).not.toThrow();
        expect(() => parse({ [option.name]: option.defaultText })).not.toThrow();
      }
    }
  });

  it.each([
    ['memroy', 'memory'],
    ['Memory', 'memory'],
    ['chunk-size', 'chunk_size'],
    ['chunksize', 'chunk_size'],
    ['use_tsl', 'use_tls'],
    ['concurency', 'concurrency'],
  ])('%s looks like a typing error of %s', (key, name) => {
    expect(parse({ [key]: 'sesame' }).remarks).toEqual([
      `the option "${key}" is unknown and was ignored; did you mean ${name}?`,
    ]);
  });

  it('one of an earlier version is told of', () => {
    expect(parse({ write_behind: 'true' }).remarks).toEqual([
      'the option "write_behind" has no effect any more: a packfile is acknowledged once it is stored, and not before.',
    ]);
  });

  it.each(['passphrase', 'passphrase_cmd', 'maintenance', 'access_key', 'report.email', 'hot', '', 'tls_ca'])(
    '%o is none of ours, nor meant to be',
    (key) => expect(parse({ [key]: 'sesame' }).remarks).toEqual([]),
  );
});

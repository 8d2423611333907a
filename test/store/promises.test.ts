/** What stores promise when things happen at once, fail half-way, or are not what they seem. */

import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { Coordinator } from '../../src/engine/coordinator.ts';
import { type ErrorCode, isKlosetError } from '../../src/errors.ts';
import { VirtualClock } from '../../src/flow/clock.ts';
import { makeExchange } from '../../src/registry/exchange.ts';
import { httpTransport } from '../../src/registry/httpTransport.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { onDisk } from '../../src/store/atomicFile.ts';
import { DirectoryStore } from '../../src/store/directoryStore.ts';
import { describeRef, tagOf } from '../../src/store/objectNames.ts';
import { OciStore } from '../../src/store/ociStore.ts';
import { type OciStoreOptions, type OpenOciStore, openOciStore } from '../../src/store/openStore.ts';
import { planPush } from '../../src/store/pushItems.ts';
import { writeSyntheticStore } from '../../src/store/syntheticStore.ts';
import { pullAll, pushAll } from '../../src/store/transfer.ts';
import { collect, refOf, refuse } from '../engine/rig.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { selfSigned } from '../support/selfSigned.ts';

const MIB = 1024 * 1024;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

let registry: RunningRegistry;
let folder: string;
let opened: OpenOciStore[];

beforeEach(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((one) => one.close()));
  await registry.close();
  await rm(folder, { recursive: true });
});

const REPOSITORY = 'my/store';
const url = (path: string) => `${registry.url}/v2/${REPOSITORY}/${path}`;

function open(options: OciStoreOptions = {}, location = `oci://${registry.address}/${REPOSITORY}`) {
  const one = openOciStore(location, { clock: new VirtualClock(), ...options });
  opened.push(one);
  return one;
}

async function putRaw(tag: string, body: string, type = MANIFEST): Promise<void> {
  const answer = await fetch(url(`manifests/${tag}`), {
    method: 'PUT',
    body,
    headers: { 'content-type': type },
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
}

const digestUnder = async (tag: string) =>
  (await fetch(url(`manifests/${tag}`), { method: 'HEAD' })).headers.get('docker-content-digest');

async function tagsThere(): Promise<string[]> {
  const answer = (await (await fetch(url('tags/list'))).json()) as { tags?: string[] | null };
  return answer.tags ?? [];
}

/** The error of a promise that has to fail with this code, and whose message says all of this. */
async function failure(work: Promise<unknown>, code: ErrorCode, ...said: string[]): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown) => thrown,
  );
  if (!isKlosetError(error)) throw new Error(`no KlosetError: ${String(error)}`);
  for (const text of said) expect(error.message).toContain(text);
  expect(error.message).toContain(`[${code}]`);
  expect(error.details.remedy, error.message).toMatch(/\.$/);
  return error.message;
}

describe('two creators at once', () => {
  it('are not both told that the store is theirs', async () => {
    // Each sees no CONFIG before either writes, and writes before either looks again: the worst order there is.
    const meet = barrier(2);
    const creators = ['one', 'two'].map((config) => {
      const http = httpTransport();
      const coordinator = new Coordinator();
      let lookedFirst = false;
      const exchange = makeExchange(
        parseReference(`oci://${registry.address}/${REPOSITORY}`),
        async (request) => {
          const answer = await http.send(request);
          const isConfig = request.url.pathname.endsWith('/manifests/CONFIG');
          if (isConfig && (request.method === 'PUT' || !lookedFirst)) {
            lookedFirst = true;
            await meet(request.method);
          }
          return answer;
        },
      );
      return {
        config,
        done: new OciStore(exchange, coordinator).create(Buffer.from(config)),
        close: () => Promise.all([coordinator.close(), http.close()]),
      };
    });
    const results = await Promise.allSettled(creators.map(({ done }) => done));
    await Promise.all(creators.map(({ close }) => close()));
    const stored = Buffer.from(await open().store.open()).toString();
    for (const [at, result] of results.entries()) {
      if (creators[at]?.config === stored) expect(result.status).toBe('fulfilled');
      else expect(result).toMatchObject({ status: 'rejected', reason: { code: 'STORE_EXISTS' } });
    }
  });
});

describe('a push that fails half-way', () => {
  it('leaves no state and no CONFIG, and the next one sends only what is missing', async () => {
    const store = new DirectoryStore(join(folder, 'a'));
    await store.create(seededBytes(0, 600));
    for (const number of [1, 2, 3, 4])
      await store.put(refOf(number), bufferSource(seededBytes(number, 300_000), 'x'));
    await store.put({ ...refOf(5), type: 'state' }, bufferSource(seededBytes(5, 5000), 'x'));
    const planned = await planPush([store.location]);
    // The state first: the order has to be the transfer's own.
    const plan = { ...planned, items: planned.items.toReversed() };
    const packfiles = plan.items.filter(({ type }) => type === 'packfile');
    const victim = tagOf({ type: 'packfile', mac: packfiles.at(-1)?.mac ?? '' });
    registry.setFaults({
      before: ({ method, reference }) => (method === 'PUT' && reference === victim ? refuse(403) : undefined),
    });
    await failure(
      pushAll(plan, open().store, { concurrency: 1 }),
      'ACCESS_DENIED',
      packfiles.at(-1)?.mac ?? '?',
      `${registry.address}/${REPOSITORY}`,
    );
    const tags = await tagsThere();
    expect(tags).toHaveLength(packfiles.length - 1);
    expect(tags.every((tag) => tag.startsWith('packfiles-'))).toBe(true);

    registry.setFaults(undefined);
    registry.resetRequestLog();
    const result = await pushAll(plan, open().store);
    expect(result).toMatchObject({ objects: 5, skipped: 3 });
    const sent = registry
      .requestLog()
      .reduce(
        (sum, { method, route, requestBytes }) =>
          sum + (method !== 'PUT' || route !== 'manifest' ? requestBytes : 0),
        0,
      );
    const config = plan.config?.length ?? 0;
    // The blob of the victim was stored by the first run; what a registry holds it need not take again, but may.
    expect(sent).toBeLessThanOrEqual(result.bytes + config + 2);
  });

  it('starts nothing after an abort, and says so', async () => {
    const { store } = await writeSyntheticStore(join(folder, 'a'), { totalBytes: 5 * MIB });
    const signal = AbortSignal.abort();
    await expect(pushAll(await planPush([store.location]), open().store, { signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(registry.countRequests({ method: 'PUT', route: 'manifest' })).toBe(0);
  });
});

describe('a pull', () => {
  it('into another store is refused and changes nothing', async () => {
    const { store: source } = open();
    await source.create(Buffer.from('ours'));
    await source.put(refOf(1), bufferSource(seededBytes(1, 9000), 'x'));
    const target = new DirectoryStore(join(folder, 'b'));
    await target.create(Buffer.from('theirs'));
    await failure(pullAll(source, target), 'STORE_EXISTS', target.location);
    expect(Buffer.from(await target.open()).toString()).toBe('theirs');
    await expect(target.stat(refOf(1))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('of a damaged object leaves neither it nor a CONFIG, but the whole ones', async () => {
    const { store } = open();
    await store.create(Buffer.from('ours'));
    for (const number of [1, 2]) await store.put(refOf(number), bufferSource(seededBytes(number, 9000), 'x'));
    const manifest = (await (await fetch(url(`manifests/${tagOf(refOf(2))}`))).json()) as {
      layers: { digest: string }[];
    };
    await registry.corruptBlob(REPOSITORY, manifest.layers[0]?.digest ?? '', seededBytes(9, 9000));
    const target = new DirectoryStore(join(folder, 'b'));
    await failure(pullAll(open().store, target), 'BLOB_CORRUPT', describeRef(refOf(2)), registry.address);
    await expect(target.stat(refOf(2))).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    await expect(target.open()).rejects.toMatchObject({ code: 'STORE_MISSING' });
    const left = await readdir(join(folder, 'b'), { recursive: true });
    expect(left.filter((name) => name.includes('.tmp-'))).toEqual([]);
  });
});

describe('an object', () => {
  it('has a manifest of its own, whatever content it shares', async () => {
    const { store } = open();
    const content = seededBytes(1, 9000);
    await Promise.all([1, 2].map((number) => store.put(refOf(number), bufferSource(content, 'x'))));
    const state = { ...refOf(1), type: 'state' } as const;
    await store.put(state, bufferSource(content, 'x'));
    const digests = await Promise.all([refOf(1), refOf(2), state].map((ref) => digestUnder(tagOf(ref))));
    expect(new Set(digests).size).toBe(3);
  });

  it('may be put by many at once', async () => {
    const content = seededBytes(1, 200_000);
    await Promise.all([1, 2, 3].map(() => open().store.put(refOf(1), bufferSource(content, 'x'))));
    expect((await collect((await open().store.get(refOf(1))).stream)).equals(content)).toBe(true);
    expect(registry.openSessions()).toEqual([]);
  });

  it('may be empty', async () => {
    for (const store of [open().store, new DirectoryStore(join(folder, 'd'))]) {
      await store.put(refOf(1), bufferSource(new Uint8Array(), 'x'));
      expect((await store.stat(refOf(1))).bytes).toBe(0);
      expect(await collect((await store.get(refOf(1))).stream)).toHaveLength(0);
      expect(await store.verify(refOf(1), { deep: true })).toMatchObject({ ok: true, bytes: 0 });
    }
  });

  it('is not listed when its name is no MAC', async () => {
    const { store } = open();
    await store.put(refOf(1), bufferSource(seededBytes(1, 10), 'x'));
    const manifest = await (await fetch(url(`manifests/${tagOf(refOf(1))}`))).text();
    for (const tag of [
      'latest',
      'packfiles-short',
      `packfiles-${refOf(1).mac.toUpperCase()}`,
      `packfiles-${refOf(1).mac}0`,
    ])
      await putRaw(tag, manifest);
    const macs: string[] = [];
    for await (const mac of open().store.list('packfile')) macs.push(mac);
    expect(macs).toEqual([refOf(1).mac]);
  });
});

describe('what is not ours under one of our tags', () => {
  const blob = { digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', size: 2 };
  const image = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...blob },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...blob }],
  };
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };

  it.each([
    ['a container image', image, 'MANIFEST_FOREIGN'],
    ['an index', index, 'MANIFEST_FOREIGN'],
    ['no layer', { ...image, layers: [] }, 'MANIFEST_INVALID'],
  ] as const)('%s is named, and neither read nor deleted by digest', async (_, manifest, code) => {
    await open().store.put(refOf(1), bufferSource(seededBytes(1, 10), 'x'));
    await putRaw(tagOf(refOf(2)), JSON.stringify(manifest), manifest.mediaType);
    const said = [describeRef(refOf(2)), `${registry.address}/${REPOSITORY}`];
    await failure(open().store.stat(refOf(2)), code, ...said);
    const finding = await open().store.verify(refOf(2));
    expect(finding).toMatchObject({ ok: false, error: { code } });
    registry.setFaults({
      before: ({ method, reference }) =>
        method === 'DELETE' && !reference?.includes(':') ? refuse(405, 'UNSUPPORTED') : undefined,
    });
    await failure(open().store.delete(refOf(2)), code, ...said);
    expect(await digestUnder(tagOf(refOf(2)))).toMatch(/^sha256:/);
  });
});

describe('TLS and plain HTTP', () => {
  it('met the wrong way round are told apart, with the option that helps', async () => {
    await failure(open({ useTls: true }).store.open(), 'TLS_MISMATCH', registry.address, '--use-tls false');
    const { key, cert } = await selfSigned(folder);
    const secure = createServer({ key, cert }, (_, response) => response.end('{}'));
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const at = `127.0.0.1:${(secure.address() as AddressInfo).port}`;
    try {
      const plain = () => open({}, `oci://${at}/a/b`).store;
      const list = async () => {
        for await (const _ of plain().list('state'));
      };
      await failure(plain().open(), 'TLS_MISMATCH', at, '--use-tls true');
      await failure(list(), 'TLS_MISMATCH', at, '--use-tls true');
      await failure(
        open({ useTls: true }, `oci://${at}/a/b`).store.open(),
        'TLS_UNTRUSTED',
        at,
        'tls_ca_file',
      );
    } finally {
      secure.closeAllConnections();
      await new Promise((resolve) => secure.close(resolve));
    }
  });
});

describe('files', () => {
  it('in the place of a folder are told, as is a full disk', async () => {
    const store = new DirectoryStore(join(folder, 'd'));
    await store.create(Buffer.from('x'));
    const shard = join(folder, 'd', 'packfiles', refOf(1).mac.slice(0, 2));
    await rm(shard, { recursive: true });
    await writeFile(shard, 'in the way');
    await failure(
      store.put(refOf(1), bufferSource(seededBytes(1, 10), 'x')),
      'FILE_WRITE_FAILED',
      refOf(1).mac,
    );
    for (const errno of ['ENOSPC', 'EDQUOT']) {
      const refused = onDisk('/a/file', () => Promise.reject(Object.assign(new Error('x'), { code: errno })));
      await failure(refused, 'DISK_FULL', '/a/file', 'whole objects are kept');
    }
  });

  it('are not created over each other', async () => {
    const stores = [1, 2, 3].map(() => new DirectoryStore(join(folder, 'd')));
    const results = await Promise.allSettled(stores.map((store, at) => store.create(Buffer.from([at]))));
    const winners = results.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []));
    expect(winners).toHaveLength(1);
    expect([...(await new DirectoryStore(join(folder, 'd')).open())]).toEqual(winners);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'STORE_EXISTS' });
  });

  it('that cannot be pushed are named', async () => {
    await failure(planPush([join(folder, 'absent')]), 'SOURCE_MISSING', join(folder, 'absent'));
    await failure(planPush([folder]), 'SOURCE_MISSING', folder);
    await failure(planPush(['/dev/null']), 'SOURCE_UNREADABLE', '/dev/null');
    await symlink('nowhere', join(folder, 'link'));
    await failure(planPush([folder]), 'SOURCE_MISSING', join(folder, 'link'));
  });
});

/** Each name is a meeting: its visitors go on when all have come. */
function barrier(count: number): (name: string) => Promise<void> {
  const meetings = new Map<string, { come: number; open: () => void; all: Promise<void> }>();
  return (name) => {
    let meeting = meetings.get(name);
    if (!meeting) {
      const { promise, resolve } = Promise.withResolvers<void>();
      meeting = { come: 0, open: resolve, all: promise };
      meetings.set(name, meeting);
    }
    if (++meeting.come === count) meeting.open();
    return meeting.all;
  };
}

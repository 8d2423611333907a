import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FaultPlan, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { type OciStoreOptions, openOciStore } from '../../src/store/openStore.ts';
import { FAST_RETRY, MIB, refOf, refuse } from '../engine/rig.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';

let refused = 0;
const refusal = (status: number, code?: string) => {
  refused++;
  return refuse(status, code);
};

/** A proxy with a limit of 1 MiB, in front of a registry that deletes by digest alone. */
const NARROW: FaultPlan = {
  before: (exchange) => {
    if (Number(exchange.headers['content-length'] ?? 0) > MIB) return refusal(413);
    const byTag =
      exchange.method === 'DELETE' && exchange.route === 'manifest' && !exchange.reference?.includes(':');
    return byTag ? refusal(405, 'UNSUPPORTED') : undefined;
  },
};
const CONTENT = seededBytes(3, 3 * MIB);

let registry: RunningRegistry;
let folder: Scratch;

beforeEach(async () => {
  registry = await startRegistry({ faults: NARROW });
  folder = await scratch('knowledge');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await registry.close();
  await folder.remove();
});

/** One process' life: a store is opened, one object put and deleted. Returns how many requests were refused. */
async function live(
  number: number,
  options: OciStoreOptions = {},
): Promise<{ refused: number; remarks: string[] }> {
  refused = 0;
  const remarks: string[] = [];
  const open = openOciStore(`oci://${registry.address}/a/b`, {
    hasher: 'native',
    retry: FAST_RETRY,
    onRemark: (text) => remarks.push(text),
    ...options,
  });
  await open.store.put(refOf(number), bufferSource(CONTENT, 'x'));
  await open.store.delete(refOf(number));
  await open.close();
  return { refused, remarks };
}

describe('host memory on disk', () => {
  it('spares the next process what this one paid for', async () => {
    vi.stubEnv('KLOSET_OCI_STATE_DIR', folder.path);
    expect((await live(1)).refused).toBeGreaterThanOrEqual(2);
    const second = await live(2);
    expect(second.refused).toBe(0);
    expect(second.remarks.filter((text) => text.includes('hosts.json'))).toEqual([]);
    const { hosts } = JSON.parse(await readFile(join(folder.path, 'hosts.json'), 'utf8'));
    expect(hosts[registry.address].auto.facts).toMatchObject({
      tagDelete: false,
      bodyMaxBytes: expect.any(Number),
    });
  });

  it('is written only when something was learned', async () => {
    vi.stubEnv('KLOSET_OCI_STATE_DIR', folder.path);
    await live(1);
    const before = await readFile(join(folder.path, 'hosts.json'), 'utf8');
    await live(2);
    await live(3);
    const settled = await readFile(join(folder.path, 'hosts.json'), 'utf8');
    await live(4);
    expect(await readFile(join(folder.path, 'hosts.json'), 'utf8')).toBe(settled);
    expect(JSON.parse(settled).hosts[registry.address].auto.since).toBe(
      JSON.parse(before).hosts[registry.address].auto.since,
    );
  });

  it('belongs to the profile under which it was learned', async () => {
    vi.stubEnv('KLOSET_OCI_STATE_DIR', folder.path);
    await live(1);
    expect((await live(2, { profile: 'zot' })).refused).toBeGreaterThan(0);
    expect((await live(3, { profile: 'zot' })).refused).toBe(0);
  });

  it('is not kept for this machine unless a folder is named', async () => {
    vi.stubEnv('KLOSET_OCI_STATE_DIR', '');
    vi.stubEnv('XDG_STATE_HOME', folder.path);
    expect((await live(1)).refused).toBeGreaterThan(0);
    expect((await live(2)).refused).toBeGreaterThan(0);
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe('the profile of an open store', () => {
  it('is the one asked for, else generic for an emulator that shows no marks', async () => {
    for (const [profile, name] of [
      ['ecr', 'ecr'],
      [undefined, 'generic'],
    ] as const) {
      const open = openOciStore(`oci://${registry.address}/a/b`, { profile });
      expect((await open.profile()).name).toBe(name);
      await open.close();
    }
  });

  it('is found by answers that came anyway', async () => {
    registry.setFaults({
      answer: (_, answer) => ({
        ...answer,
        headers: { ...answer.headers, 'access-control-allow-headers': 'Authorization,X-ZOT-API-CLIENT' },
      }),
    });
    const open = openOciStore(`oci://${registry.address}/a/b`);
    for await (const _ of open.store.list('state'));
    const before = registry.countRequests();
    expect((await open.profile()).name).toBe('zot');
    expect(registry.countRequests()).toBe(before);
    await open.close();
  });
});

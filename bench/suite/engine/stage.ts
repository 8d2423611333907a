import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { REGISTRIES, type RealRegistry, type RegistryName } from '../../../test/support/realRegistries.ts';
import { type Scratch, scratch } from '../../../test/support/scratch.ts';
import { seededBytes } from '../../../test/support/seededBytes.ts';
import { startToxiproxy, type Toxiproxy } from '../../../test/support/toxiproxy.ts';
import { prepareWorkload, type Workload } from '../../push/workload.ts';
import { storageParent } from '../../storage.ts';

const MIB = 1024 * 1024;

/** What is between a client and a registry. */
export interface Link {
  readonly roundTripMs: number;
  readonly bandwidthBytesPerSecond?: number | undefined;
}

/** Folders, files, registries and the slow network of a run. */
export class Stage {
  /** Where registries keep what they store. */
  readonly parent: string;
  readonly #home: Scratch;
  readonly #workloads = new Map<string, Promise<Workload>>();
  #toxiproxy: Promise<Toxiproxy> | undefined;
  #count = 0;

  private constructor(home: Scratch) {
    this.parent = home.path;
    this.#home = home;
  }

  /** Nothing of it is left behind when the run is interrupted: it lies in memory, and there are gigabytes of it. */
  static async open(): Promise<Stage> {
    const home = await scratch('bench', await storageParent());
    process.once('exit', () => rmSync(home.path, { recursive: true, force: true }));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
    return new Stage(home);
  }

  /** The same files for all who ask for them. */
  workload(objects: number, objectBytes: number): Promise<Workload> {
    const name = `${objects}x${objectBytes}`;
    const known = this.#workloads.get(name);
    if (known) return known;
    const made = prepareWorkload(join(this.#home.path, name), objects, objectBytes);
    this.#workloads.set(name, made);
    return made;
  }

  async freshFolder(): Promise<string> {
    const folder = join(this.#home.path, `folder-${this.#count++}`);
    await mkdir(folder);
    return folder;
  }

  /** A registry with empty storage whose code is loaded. */
  async registry(name: RegistryName): Promise<RealRegistry> {
    const registry = await REGISTRIES[name].start({ parent: this.parent });
    try {
      await warmUp(registry.address);
      return registry;
    } catch (error) {
      await registry.stop();
      throw error;
    }
  }

  /** Runs something with the address under which a registry is reached over a link. */
  async over<T>(link: Link, address: string, run: (address: string) => Promise<T>): Promise<T> {
    const { roundTripMs, bandwidthBytesPerSecond } = link;
    if (roundTripMs === 0 && bandwidthBytesPerSecond === undefined) return run(address);
    this.#toxiproxy ??= startToxiproxy();
    const proxy = await (await this.#toxiproxy).proxy(address, {
      roundTripMs,
      ...(bandwidthBytesPerSecond !== undefined && {
        uploadKiBps: bandwidthBytesPerSecond / 1024,
        downloadKiBps: bandwidthBytesPerSecond / 1024,
      }),
    });
    try {
      return await run(proxy.address);
    } finally {
      await proxy.close();
    }
  }

  /** The process of the slow network, once there was one. */
  async proxyPid(): Promise<number | undefined> {
    return (await this.#toxiproxy)?.pid;
  }

  async close(): Promise<void> {
    await (await this.#toxiproxy)?.stop();
    await this.#home.remove();
  }
}

async function warmUp(address: string): Promise<void> {
  const base = `http://${address}`;
  for (let i = 0; i < 4; i++) {
    const body = seededBytes(0xffff + i, 2 * MIB);
    const opened = await fetch(`${base}/v2/warm/up/blobs/uploads/`, { method: 'POST' });
    await opened.arrayBuffer();
    const url = new URL(opened.headers.get('location') ?? '', base);
    const digest = createHash('sha256').update(body).digest('hex');
    url.searchParams.set('digest', `sha256:${digest}`);
    const headers = { 'Content-Type': 'application/octet-stream' };
    const put = await fetch(url, { method: 'PUT', body, headers });
    if (put.status !== 201) throw new Error(`warm-up: ${put.status} ${await put.text()}`);
    await put.arrayBuffer();
  }
}

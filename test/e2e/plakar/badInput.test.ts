/** Whatever is wrong: the host shows one clear line and exits, nothing hangs, nothing is lost. */
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectorPackage } from '../../support/connectors.ts';
import { pushImage, taggedDigest } from '../../support/foreignImage.ts';
import { requirePeers } from '../../support/peers.ts';
import {
  failedPaths,
  messagesOf,
  openPlakar,
  type Plakar,
  unreportedDifferences,
} from '../../support/plakar.ts';
import { type RealRegistry, startDockerRegistry } from '../../support/realRegistries.ts';
import { blobPath, layersOf, tagsOf } from '../../support/registryState.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import { writeSmallTree } from '../../support/seededTree.ts';

const peers = requirePeers(['plakar', 'docker-registry']);

describe.skipIf(!peers.found)('plakar says what is wrong', () => {
  let folder: Scratch;
  let registry: RealRegistry;
  let plakar: Plakar;
  /** Another machine, which has read none of the stores yet. */
  let other: Plakar;
  let tree: string;

  beforeAll(async () => {
    folder = await scratch('e2e-bad-input');
    tree = join(folder.path, 'tree');
    await writeSmallTree(tree);
    registry = await startDockerRegistry();
    plakar = await openPlakar({ connector: connectorPackage('ours') });
    other = await openPlakar({
      connector: connectorPackage('ours'),
      passphrase: 'another one, and wrong 77',
    });
  });

  afterAll(async () => {
    await plakar?.close();
    await other?.close();
    await registry?.stop();
    await folder?.remove();
  });

  const at = (name: string) => `oci://${registry.address}/bad/${name}`;
  async function storeWithBackup(name: string): Promise<string> {
    await plakar.create(at(name));
    await plakar.backup(at(name), tree);
    return at(name);
  }

  /** The file of the largest object of a kind. */
  async function largestBlob(name: string, kind: string): Promise<string> {
    const repository = `bad/${name}`;
    const tags = (await tagsOf(registry.address, repository)).filter((tag) => tag.startsWith(`${kind}-`));
    const layers = await Promise.all(tags.map((tag) => layersOf(registry.address, repository, tag)));
    const [largest] = layers.flat().sort((a, b) => b.size - a.size);
    if (largest === undefined) throw new Error(`no ${kind} in ${repository}`);
    return blobPath(registry, largest.digest);
  }

  test('about a wrong passphrase', async () => {
    await plakar.create(at('passphrase'), { encrypted: true });
    const run = await other.attempt(['at', at('passphrase'), 'ls']);
    expect(run.code).not.toBe(0);
    expect(run.stderr).toMatch(/failed to unlock repository/);
    expect(messagesOf(run)).toEqual([]);
  });

  test('about a repository without a store, for every command', async () => {
    for (const command of [['ls'], ['check'], ['backup', tree], ['maintenance'], ['restore', '-to', tree]]) {
      const run = await plakar.attempt(['at', at('empty'), ...command]);
      expect(run.code).not.toBe(0);
      expect(messagesOf(run)).toEqual([expect.stringMatching(/^\[STORE_MISSING\] .*no store/)]);
    }
    expect(await tagsOf(registry.address, 'bad/empty')).toEqual([]);
  });

  test('about a repository of images, and leaves them alone', async () => {
    const latest = await pushImage(registry.address, 'bad/images', 'latest');
    const read = await plakar.attempt(['at', at('images'), 'ls']);
    expect(read.code).not.toBe(0);
    expect(messagesOf(read)).toEqual([expect.stringMatching(/^\[STORE_MISSING\]/)]);
    const refused = await plakar.attempt(['at', at('images'), 'create', '-plaintext']);
    expect(refused.code).not.toBe(0);
    expect(messagesOf(refused)).toEqual([expect.stringMatching(/^\[REPOSITORY_SHARED\]/)]);
    await plakar.run('store', 'add', 'shared', at('images'), 'allow_shared_repository=true');
    await plakar.create('@shared');
    await plakar.backup('@shared', tree);
    expect(await taggedDigest(registry.address, 'bad/images', 'latest')).toBe(latest);
  });

  test('about an image under the tag of the configuration, and never replaces it', async () => {
    const image = await pushImage(registry.address, 'bad/config', 'CONFIG');
    for (const command of [['ls'], ['create', '-plaintext']]) {
      const run = await plakar.attempt(['at', at('config'), ...command]);
      expect(run.code).not.toBe(0);
      expect(messagesOf(run)).toEqual([expect.stringMatching(/^\[(MANIFEST_FOREIGN|STORE_EXISTS)\]/)]);
      expect(await taggedDigest(registry.address, 'bad/config', 'CONFIG')).toBe(image);
    }
  });

  test('about options that mean nothing', async () => {
    await storeWithBackup('options');
    const values = { concurrency: 'lots', use_tls: 'maybe', chunk_size: '-1', upload_mode: 'fast' };
    for (const [name, value] of Object.entries(values)) {
      await plakar.run('store', 'add', `bad-${name}`, at('options'), `${name}=${value}`);
      const run = await plakar.attempt(['at', `@bad-${name}`, 'ls']);
      expect(run.code).not.toBe(0);
      expect(messagesOf(run)).toEqual([expect.stringMatching(new RegExp(`^\\[USAGE\\] option ${name}: `))]);
    }
    await plakar.run('store', 'add', 'typo', at('options'), 'concurency=3');
    expect((await plakar.run('at', '@typo', 'ls')).stderr).toMatch(/"concurency".*did you mean concurrency/);
  });

  test('about a packfile whose bytes have changed', async () => {
    const store = await storeWithBackup('corrupted');
    const path = await largestBlob('corrupted', 'packfiles');
    const bytes = await readFile(path);
    const changed = Buffer.from(bytes);
    for (let at = 4096; at < changed.length; at += 65_536) changed[at] = (changed[at] as number) ^ 0xff;
    await writeFile(path, changed);
    expect((await plakar.attempt(['at', store, 'check'])).code).not.toBe(0);
    const restored = join(folder.path, 'corrupted');
    const run = await plakar.attempt(['at', store, 'restore', '-to', restored]);
    expect(await unreportedDifferences(tree, restored, run)).toEqual([]);
    expect(failedPaths(run)).not.toEqual([]);
    await writeFile(path, bytes);
    await plakar.check(store);
  });

  test('about a state that is too short', async () => {
    const store = await storeWithBackup('truncated');
    const path = await largestBlob('truncated', 'state');
    const bytes = await readFile(path);
    await truncate(path, bytes.length - 1000);
    const run = await other.attempt(['at', store, 'ls']);
    // The host shows it, and exits as if all were well.
    expect(messagesOf(run)).toEqual([expect.stringMatching(/^\[SIZE_MISMATCH\] state /)]);
    await writeFile(path, bytes);
    expect(await other.ls(store)).toHaveLength(1);
  });

  test('and no process is left after all of that', async () => {
    await plakar.idle();
    await other.idle();
  });
});

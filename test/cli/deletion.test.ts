/** What `rm` says of the room that deleted objects took, and what is refused where others keep their tags. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import { openOciStore } from '../../src/store/openStore.ts';
import { refOf } from '../engine/rig.ts';
import { pushImage } from '../support/foreignImage.ts';
import { runMeasured } from '../support/measured.ts';
import { RegistryAbilities } from '../support/registryAbilities.ts';
import { tagsOf } from '../support/registryState.ts';
import { seededBytes } from '../support/seededBytes.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const run = (...args: string[]) => runMeasured(process.execPath, [MAIN, ...args]);

let registry: RunningRegistry;
let folder: string;
beforeEach(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(join(tmpdir(), 'kloset-oci-test-'));
});
afterEach(async () => {
  await registry.close();
  await rm(folder, { recursive: true });
});

const location = () => `oci://${registry.address}/my/store`;

describe('rm', () => {
  const remove = ['--type', 'packfile', '--yes', refOf(1).mac, refOf(2).mac];
  beforeEach(async () => {
    const { store, close } = openOciStore(location());
    for (const number of [1, 2]) await store.put(refOf(number), bufferSource(seededBytes(number, 9000), 'x'));
    await close();
  });

  it('says once how deleted objects give their room back', async () => {
    const { code, stdout, stderr } = await run('rm', location(), ...remove);
    expect({ code, stdout }).toEqual({
      ...{ code: 0, stdout: `deleted packfile ${refOf(1).mac}\ndeleted packfile ${refOf(2).mac}\n` },
    });
    expect(stderr).toMatch(/^Deleted objects give their room back [^\n]*\n$/);
  });

  it('says that they are hidden where the registry refuses, and ends with 0', async () => {
    registry.setFaults(new RegistryAbilities({ byTag: 'refused', byDigest: 'refused' }));
    const { code, stdout } = await run('rm', location(), ...remove, '--json');
    expect(code).toBe(0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ event }) => event)).toEqual(['remark', 'deleted', 'deleted']);
    expect(events[0].text).toContain('hidden by tombstones');
    expect((await run('ls', location(), '--json')).stdout).toBe('');
    // What is deleted is not there to be deleted.
    const again = await run('rm', location(), ...remove);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('[OBJECT_MISSING]');
  });
});

describe('a repository with an image', () => {
  it('takes no push and no create, unless that is asked for', async () => {
    await pushImage(registry.address, 'my/store', 'latest');
    const file = join(folder, refOf(1).mac);
    await writeFile(file, seededBytes(1, 5000));
    const pushed = await run('push', file, location());
    expect(pushed.code).toBe(1);
    expect(pushed.stderr).toMatch(
      /^kloset-oci: \[REPOSITORY_SHARED\] .*latest.*allow_shared_repository=true/m,
    );
    const created = await run('create', location(), '--config', file);
    expect(created.stderr).toContain('[REPOSITORY_SHARED]');
    expect(await tagsOf(registry.address, 'my/store')).toEqual(['latest']);
    const allowed = await run('push', file, location(), '--allow-shared-repository', 'true');
    expect(allowed.code).toBe(0);
    expect(await tagsOf(registry.address, 'my/store')).toHaveLength(2);
  });
});

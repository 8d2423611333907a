/** A push that takes longer than a token lives, at a real registry with a real token service. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { klosetOci, summaryOf } from '../support/cli.ts';
import { requirePeers } from '../support/peers.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { SECURED_REGISTRIES } from '../support/securedRegistries.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { startToxiproxy, type Toxiproxy } from '../support/toxiproxy.ts';

const MIB = 1024 * 1024;
const LIFE_SECONDS = 5;
const LIVES = 3;
const UPLOAD_KIBPS = 1024;
const peers = requirePeers(['toxiproxy-server', 'docker-registry', 'registry3']);

describe.skipIf(!peers.found)(`a push of ${LIVES} lives of a token`, () => {
  let folder: Scratch;
  let source: string;
  let toxiproxy: Toxiproxy;

  beforeAll(async () => {
    folder = await scratch('e2e-token-life');
    source = join(folder.path, 'source');
    await mkdir(source);
    // One object is longer on its way than a token lives, the others begin with one that is old.
    const sizes = [LIFE_SECONDS * 2, ...Array.from({ length: LIFE_SECONDS * (LIVES - 1) + 1 }, () => 1)];
    for (const [index, mib] of sizes.entries()) {
      await writeFile(join(source, `${index}.bin`), seededBytes(index, (mib * MIB * UPLOAD_KIBPS) / 1024));
    }
    toxiproxy = await startToxiproxy();
  });

  afterAll(async () => {
    await toxiproxy?.stop();
    await folder?.remove();
  });

  test.each(['docker-registry, tokens', 'distribution 3, tokens'] as const)(
    'to %s succeeds',
    async (name) => {
      const registry = await SECURED_REGISTRIES[name].start({ tokenLifeSeconds: LIFE_SECONDS });
      const slow = await toxiproxy.proxy(registry.address, { uploadKiBps: UPLOAD_KIBPS });
      try {
        const location = `oci://${slow.address}/secured/store`;
        const env = { ...process.env, HOME: folder.path, ...registry.env };
        const pushed = summaryOf(
          (await klosetOci(['push', source, location, '--concurrency', '1', '--json'], { env })).stdout,
        );
        expect(pushed.seconds).toBeGreaterThan(LIFE_SECONDS * LIVES);
        const { issued } = registry.tokens ?? { issued: [] };
        // At least one for each life, and not more than one: all requests share it.
        expect(issued.length).toBeGreaterThanOrEqual(LIVES);
        expect(issued.length).toBeLessThanOrEqual(Math.ceil(pushed.seconds / LIFE_SECONDS) + 1);
        const { stdout } = await klosetOci(['ls', location, '--json'], { env });
        expect(stdout.match(/"type":"packfile"/g)).toHaveLength(pushed.objects);
      } finally {
        await slow.close();
        await registry.stop();
      }
    },
  );
});

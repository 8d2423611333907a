/** Processor time of a push beside that of the least that any push must do: read, hash, and send the same bytes once. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { openOciStore } from '../../../src/store/openStore.ts';
import { planPush } from '../../../src/store/pushItems.ts';
import { pushAll } from '../../../src/store/transfer.ts';
import { startNullRegistry } from '../../../test/support/startNullRegistry.ts';
import { macOf, noise } from '../bytes.ts';
import type { Scenario } from '../scenario.ts';

const MIB = 1024 * 1024;
const FILES = 8;
const FILE_BYTES = 16 * MIB;
const ROUNDS = 5;

const scenario: Scenario = async ({ folder }) => {
  const registry = await startNullRegistry();
  const paths: string[] = [];
  for (let i = 0; i < FILES; i++) {
    paths.push(join(folder, macOf(i)));
    await writeFile(join(folder, macOf(i)), noise(i, FILE_BYTES));
  }
  const ours: number[] = [];
  const least: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      least.push(await cpuOf(() => control(registry.address, paths)));
      ours.push(await cpuOf(() => push(registry.address, folder, round)));
    }
    // The least of each: what else the machine does only adds.
    return { 'push × control': Math.min(...ours) / Math.min(...least) };
  } finally {
    await registry.stop();
  }
};

async function cpuOf(run: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function push(address: string, folder: string, round: number): Promise<void> {
  const open = openOciStore(`oci://${address}/guard/cpu-${round}`);
  try {
    await pushAll(await planPush([folder]), open.store);
  } finally {
    await open.close();
  }
}

async function control(address: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const content = Buffer.allocUnsafe(FILE_BYTES);
    const fd = openSync(path, 'r');
    for (let at = 0; at < FILE_BYTES; ) at += readSync(fd, content, at, MIB, at);
    closeSync(fd);
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    await new Promise<void>((resolve, reject) => {
      const headers = { 'content-length': FILE_BYTES };
      const url = `http://${address}/v2/guard/control/blobs/uploads/?digest=${digest}`;
      const sent = request(url, { method: 'POST', headers }, (answer) => {
        answer.resume().once('end', resolve);
      });
      sent.once('error', reject);
      sent.end(content);
    });
  }
}

export default scenario;

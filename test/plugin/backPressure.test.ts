import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { encode, frame, type Outcome } from './support/grpcClient.ts';
import { type StartedPlugin, startPlugin } from './support/startPlugin.ts';

const MIB = 1024 * 1024;
const PUTS = 8;
// As large as an object may be that is kept in memory, when the plugin has as little of it as it can have.
const OBJECT_BYTES = 4 * MIB - 100_000;
const CHUNK_BYTES = 64 * 1024;
const MEMORY = '32MiB';

let registry: RunningRegistry;
let plugin: StartedPlugin;
beforeEach(async () => {
  registry = await startRegistry();
  plugin = startPlugin();
});
afterEach(async () => {
  await plugin.hangUp();
  await registry.close();
});

it('a registry that holds its uploads holds the host, and lets it go on', async () => {
  const gate = Promise.withResolvers<void>();
  registry.setFaults({
    before: ({ headers }) =>
      Number(headers['content-length']) > MIB ? { kind: 'hold', until: gate.promise } : undefined,
  });
  const location = `oci://${registry.address}/my-org/store`;
  await plugin.client.ok('Init', { config: { location, memory: MEMORY } });

  let sentBytes = 0;
  const contents = Array.from({ length: PUTS }, (_, n) => seededBytes(n, OBJECT_BYTES));
  const outcomes = contents.map((content, n) =>
    put(Buffer.alloc(32, n), content, (bytes) => (sentBytes += bytes)),
  );
  await isSteady(() => sentBytes);

  // There is memory for two of them, and the first window of each of the others.
  const others = PUTS - 2;
  expect(sentBytes).toBeGreaterThanOrEqual(2 * OBJECT_BYTES + others * (MIB - 2 * CHUNK_BYTES));
  expect(sentBytes).toBeLessThanOrEqual(2 * OBJECT_BYTES + others * MIB);

  gate.resolve();
  expect((await Promise.all(outcomes)).map(({ status }) => status)).toEqual(contents.map(() => 0));
  for (const [n, content] of contents.entries()) {
    expect((await plugin.client.get({ mac: Buffer.alloc(32, n), type: 1 })).equals(content)).toBe(true);
  }
});

/** Puts in small messages, and counts what the connection has taken. */
function put(mac: Buffer, content: Uint8Array, onSent: (bytes: number) => void): Promise<Outcome> {
  const { stream, outcome } = plugin.client.open('Put');
  outcome.catch(() => {});
  void (async () => {
    stream.write(frame(encode('PutRequest', { mac, type: 1 })));
    for (let at = 0; at < content.length; at += CHUNK_BYTES) {
      const chunk = content.subarray(at, at + CHUNK_BYTES);
      await new Promise<void>((resolve) =>
        stream.write(frame(encode('PutRequest', { chunk })), () => resolve()),
      );
      onSent(chunk.length);
    }
    stream.end();
  })();
  return outcome;
}

/** Resolves when the number stands still while other calls go back and forth: whoever could move has moved. */
async function isSteady(read: () => number): Promise<void> {
  for (let before = -1; read() === 0 || read() !== before; ) {
    before = read();
    for (let turn = 0; turn < 20; turn++) await plugin.client.ok('Mode');
  }
}

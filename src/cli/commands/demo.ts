import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRegistry } from '../../emulator/index.ts';
import { fileSource } from '../../engine/fileSource.ts';
import { KlosetError, throwIfAborted } from '../../errors.ts';
import { DirectoryStore } from '../../store/directoryStore.ts';
import { describeRef, type ObjectType } from '../../store/objectNames.ts';
import { planPush } from '../../store/pushItems.ts';
import { writeSyntheticStore } from '../../store/syntheticStore.ts';
import { pullAll, pushAll } from '../../store/transfer.ts';
import { formatBytes, formatRate, formatSeconds, formatTable } from '../format.ts';
import { type Session, withSession } from '../session.ts';
import type { CommonFlags } from '../storeOptions.ts';
import { peakRssBytes } from '../summary.ts';
import { verifyAll } from './verify.ts';

interface Step {
  readonly name: string;
  readonly objects: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly requests: number;
}

const COMPARE_BYTES = 1024 * 1024;
const COMPARED: readonly ObjectType[] = ['packfile', 'state'];

/** `demo`: the whole way of a store into a registry and back, on this machine, with every byte compared. */
export async function demo(flags: CommonFlags & { size: number }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kloset-oci-demo-'));
  const registry = await startRegistry({ directory: join(folder, 'registry') });
  try {
    await withSession(`oci://${registry.address}/demo/store`, flags, (session) =>
      runDemo(session, folder, flags.size, registry.address),
    );
  } finally {
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function runDemo(session: Session, folder: string, totalBytes: number, address: string): Promise<void> {
  const { store, signal, output } = session;
  output.line(`kloset-oci demo: an embedded registry listens on ${address}, the store is ${store.location}`);
  const steps: Step[] = [];
  const step = async (name: string, run: () => Promise<{ objects: number; bytes: number }>) => {
    throwIfAborted(signal);
    const startedMs = performance.now();
    const before = requestsOf(session);
    const { objects, bytes } = await run();
    const done = {
      name,
      objects,
      bytes,
      seconds: (performance.now() - startedMs) / 1000,
      requests: requestsOf(session) - before,
    };
    steps.push(done);
    output.note(`  ${name}: ${objects} objects, ${formatBytes(bytes)}, ${formatSeconds(done.seconds)}`);
    output.event({ event: 'step', ...done });
  };

  const source = join(folder, 'source');
  const copy = join(folder, 'copy');
  await step('make a store', () => writeSyntheticStore(source, { totalBytes }));
  await step('push', async () => pushAll(await planPush([source]), store, { signal }));
  await step('list', async () => {
    let objects = 0;
    for (const type of COMPARED) for await (const _ of store.list(type, { signal })) objects++;
    return { objects, bytes: 0 };
  });
  await step('verify --deep', () => verifyQuietly(session));
  await step('pull', () => pullAll(store, new DirectoryStore(copy), { signal }));
  await step('compare', () => compareStores(new DirectoryStore(source), new DirectoryStore(copy)));

  output.line(summaryTable(steps, await session.coordinator.hasher.provider(), session));
  output.event({
    event: 'summary',
    objects: steps.find(({ name }) => name === 'push')?.objects,
    bytes: steps.find(({ name }) => name === 'push')?.bytes,
    requests: session.stats().requests,
    retries: session.stats().retries,
    hasher: await session.coordinator.hasher.provider(),
    uploadMode: session.coordinator.uploadMode,
    peakRssBytes: peakRssBytes(),
    equal: true,
  });
}

async function verifyQuietly(session: Session): Promise<{ objects: number; bytes: number }> {
  const figures = await verifyAll(
    { ...session, output: Object.assign(Object.create(session.output), { event: () => {} }) },
    true,
  );
  if (figures.damaged > 0) throw new KlosetError('STORE_DAMAGED', `${figures.damaged} objects are damaged`);
  return figures;
}

async function compareStores(
  one: DirectoryStore,
  two: DirectoryStore,
): Promise<{ objects: number; bytes: number }> {
  const same = { objects: 0, bytes: 0 };
  if (!Buffer.from(await one.open()).equals(await two.open())) throw differs('CONFIG');
  for (const type of COMPARED) {
    for await (const mac of one.list(type)) {
      const ref = { type, mac };
      same.bytes += await compareFiles(one.pathOf(ref), two.pathOf(ref), describeRef(ref));
      same.objects++;
    }
  }
  return same;
}

async function compareFiles(one: string, two: string, object: string): Promise<number> {
  const [left, right] = [await fileSource(one), await fileSource(two)];
  if (left.sizeBytes !== right.sizeBytes) throw differs(object);
  const [a, b] = [await left.open(), await right.open()];
  const [bufferA, bufferB] = [Buffer.alloc(COMPARE_BYTES), Buffer.alloc(COMPARE_BYTES)];
  try {
    for (let position = 0; ; position += COMPARE_BYTES) {
      const bytes = await a.read(bufferA, position);
      const bytesB = await b.read(bufferB, position);
      if (bytes !== bytesB || bufferA.compare(bufferB, 0, bytes, 0, bytes) !== 0) throw differs(object);
      if (bytes < COMPARE_BYTES) return position + bytes;
    }
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}

function differs(object: string): KlosetError {
  return new KlosetError('BLOB_CORRUPT', 'came back with other bytes', { object });
}

function requestsOf(session: Session): number {
  return Object.values(session.stats().requests).reduce((sum, count) => sum + count, 0);
}

function summaryTable(steps: readonly Step[], hasher: string, session: Session): string {
  const rows = steps.map((step) => [
    step.name,
    String(step.objects),
    step.bytes > 0 ? formatBytes(step.bytes) : '-',
    formatSeconds(step.seconds),
    step.bytes > 0 ? formatRate(step.bytes, step.seconds) : '-',
    step.requests > 0 && step.objects > 0 ? (step.requests / step.objects).toFixed(2) : '-',
  ]);
  return [
    '',
    formatTable([['step', 'objects', 'bytes', 'time', 'rate', 'requests/object'], ...rows]),
    '',
    `  hasher ${hasher}, upload mode ${session.coordinator.uploadMode}, peak memory ${formatBytes(peakRssBytes())} (registry included), retries ${session.stats().retries}`,
    '  every byte came back as it went in',
    '',
    'Try next:',
    '  npx kloset-oci registry serve --port 5000 --dir ./registry',
    '  npx kloset-oci push /path/to/kloset oci://localhost:5000/my-org/store',
    '  npx kloset-oci verify --deep oci://localhost:5000/my-org/store',
  ].join('\n');
}

/**
 * Pushes the same files with kloset-oci, oras and crane to several registries, in turns:
 * `node bench/push.ts --rounds 5 --latency 0,50`. Each push meets a freshly started registry with empty storage:
 * zot links blobs that another repository holds, which would let the second contestant win without sending.
 */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { summaryOf } from '../test/support/cli.ts';
import { runOk } from '../test/support/measured.ts';
import { cpuSecondsOf } from '../test/support/processorTime.ts';
import { REGISTRIES, type RealRegistry, type RegistryName } from '../test/support/realRegistries.ts';
import { scratch } from '../test/support/scratch.ts';
import { seededBytes } from '../test/support/seededBytes.ts';
import { startToxiproxy, type Toxiproxy } from '../test/support/toxiproxy.ts';
import { CONTESTANTS, type Contestant } from './push/contestants.ts';
import { markdown, type Run, summarise } from './push/report.ts';
import { prepareWorkload, type Workload } from './push/workload.ts';
import { storageParent } from './storage.ts';

const MIB = 1024 * 1024;
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    registries: { type: 'string', default: Object.keys(REGISTRIES).join(',') },
    contestants: { type: 'string', default: CONTESTANTS.map((one) => one.name).join(',') },
    latency: { type: 'string', default: '0' },
    files: { type: 'string', default: '32' },
    'size-mib': { type: 'string', default: '20' },
    json: { type: 'string' },
    markdown: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const latencies = values.latency.split(',').map(Number);
const registries = values.registries.split(',').map((name) => {
  if (!(name in REGISTRIES)) throw new Error(`unknown registry ${name}`);
  return name as RegistryName;
});
const contestants = values.contestants.split(',').map((name) => {
  const found = CONTESTANTS.find((one) => one.name === name);
  if (!found) throw new Error(`unknown contestant ${name}`);
  return found;
});

/** Lets the registry load its code before the clock runs. */
async function warmUp(address: string): Promise<void> {
  const base = `http://${address}`;
  for (let i = 0; i < 4; i++) {
    const body = seededBytes(0xffff + i, 2 * MIB);
    const opened = await fetch(`${base}/v2/warm/up/blobs/uploads/`, { method: 'POST' });
    await opened.arrayBuffer();
    const url = new URL(opened.headers.get('location') ?? '', base);
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', body)).toString('hex');
    url.searchParams.set('digest', `sha256:${digest}`);
    const headers = { 'Content-Type': 'application/octet-stream' };
    const put = await fetch(url, { method: 'PUT', body, headers });
    if (put.status !== 201) throw new Error(`warm-up: ${put.status} ${await put.text()}`);
    await put.arrayBuffer();
  }
}

async function storedBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return bytes;
}

async function pushOnce(
  one: Contestant,
  work: Workload,
  registry: RealRegistry,
  address: string,
): Promise<Omit<Run, 'round' | 'latencyMs'>> {
  const { program, args, cwd } = one.command(work, address, 'bench/push');
  const others = () => Promise.all([cpuSecondsOf(registry.pid), cpuSecondsOf(toxiproxy.pid)]);
  const before = await others();
  const run = await runOk(program, args, { cwd });
  const after = await others();
  const stored = await storedBytes(registry.folder);
  if (stored < work.bytes)
    throw new Error(`${one.name} stored ${stored} of ${work.bytes} bytes on ${registry.name}`);
  return {
    registry: registry.name,
    contestant: one.name,
    seconds: run.seconds,
    cpuSeconds: run.cpuSeconds,
    peakRssBytes: run.peakRssBytes,
    registryCpuSeconds: after[0] - before[0],
    proxyCpuSeconds: after[1] - before[1],
    ...(one.ours && { summary: summaryOf(run.stdout) }),
  };
}

async function measure(one: Contestant, name: RegistryName, latencyMs: number, round: number): Promise<Run> {
  const registry = await REGISTRIES[name].start({ parent });
  try {
    await warmUp(registry.address);
    if (latencyMs === 0)
      return { ...(await pushOnce(one, work, registry, registry.address)), latencyMs, round };
    const slow = await toxiproxy.proxy(registry.address, { roundTripMs: latencyMs });
    try {
      return { ...(await pushOnce(one, work, registry, slow.address)), latencyMs, round };
    } finally {
      await slow.close();
    }
  } finally {
    await registry.stop();
  }
}

const parent = await storageParent();
const home = await scratch('bench', parent);
const work = await prepareWorkload(home.path, Number(values.files), Number(values['size-mib']) * MIB);
const toxiproxy: Toxiproxy = await startToxiproxy();
const runs: Run[] = [];
const environment = {
  date: new Date().toISOString(),
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  node: process.version,
  storage: parent,
  workload: { files: work.names.length, bytes: work.bytes },
};
const label = latencies.map((ms) => `${ms}ms`).join('-');
const jsonFile = values.json ?? join(import.meta.dirname, 'results', `push-${label}.json`);
await mkdir(join(import.meta.dirname, 'results'), { recursive: true });

try {
  for (let round = 0; round < rounds; round++) {
    // Every contestant has every place in the order, so that none always follows the same one.
    const order = contestants.map((_, i) => contestants[(i + round) % contestants.length] as Contestant);
    for (const latencyMs of latencies) {
      for (const name of registries) {
        for (const one of order) {
          const run = await measure(one, name, latencyMs, round);
          runs.push(run);
          const speed = (work.bytes / MIB / run.seconds).toFixed(0);
          console.error(
            `round ${round + 1}/${rounds} ${latencyMs} ms ${name} ${one.name}: ${run.seconds.toFixed(2)} s, ${speed} MiB/s`,
          );
        }
      }
    }
    // After each round, so that a run that is cut short leaves its figures.
    const rows = summarise(runs, work.bytes);
    await writeFile(jsonFile, `${JSON.stringify({ environment, rows, runs }, null, 2)}\n`);
    if (values.markdown) await writeFile(values.markdown, markdown(rows));
  }
  console.log(markdown(summarise(runs, work.bytes)));
} finally {
  await toxiproxy.stop();
  await home.remove();
}

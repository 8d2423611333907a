/** Mixed load with faults at full speed: 20 s, or 10 minutes with KLOSET_OCI_LONG=1. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../../../src/emulator/index.ts';
import { openOciStore } from '../../../src/store/openStore.ts';
import { connectionsLeft } from '../../support/connections.ts';
import { FLAKY, flakyPlan } from '../../support/flakyPlan.ts';
import { type Scratch, scratch } from '../../support/scratch.ts';
import {
  type MemorySample,
  quarterMedian,
  type SoakedObject,
  type SoakReport,
  slopeOf,
  soak,
} from '../../support/soak.ts';

const LONG = process.env.KLOSET_OCI_LONG === '1';
/** Minutes of load: for those who ask for them. */
const ASKED = LONG || process.env.KLOSET_OCI_CHAOS === '1';
const SECONDS = LONG ? 600 : 20;
const SAMPLE_MS = LONG ? 1000 : 200;
const MIB = 1024 * 1024;
/** No answer to the start of a session is lost: nobody could close such a session, for nobody knows its name. */
const TRACEABLE = FLAKY.map((spec) =>
  spec === 'reset:handled,p=0.01'
    ? 'reset@blob+manifest+upload-single+upload-chunk+upload-commit+tag-list:handled,p=0.01'
    : spec,
);

let folder: Scratch;
let registry: RunningRegistry;
beforeAll(async () => {
  folder = await scratch('e2e-soak');
  registry = await startRegistry({ directory: join(folder.path, 'registry') });
});
afterAll(async () => {
  await registry?.close();
  await folder?.remove();
});

// By itself the store sends whole objects, in one request each; only in chunks has it sessions to leave open.
const FORMS = { whole: {}, chunked: { upload_mode: 'chunked', chunk_size: '256KiB' } } as const;

test.skipIf(!ASKED).each(Object.entries(FORMS))(
  `${SECONDS} s of everything at once on a registry that fails at random, %s`,
  {
    timeout: (SECONDS + 180) * 1000,
  },
  async (form, options) => {
    const location = `oci://${registry.address}/soak/${form}`;
    const plan = flakyPlan(3, TRACEABLE);
    registry.resetRequestLog();
    registry.setFaults(plan);
    const left = { connections: -1, sessions: -1 };
    const more = { ...options, stall_timeout: '1s' };
    const report = await soak(
      { location, seconds: SECONDS, seed: 11, sampleMs: SAMPLE_MS, more },
      async () => {
        left.connections = await connectionsLeft(registry.port, 5000);
        left.sessions = registry.openSessions().length;
      },
    );
    registry.setFaults(undefined);
    tell(form, report, plan.struck());
    expect(report.failures).toEqual([]);
    expect(left).toEqual({ connections: 0, sessions: 0 });
    expect(await wrongObjects(location, report.objects)).toEqual([]);
    const { heap, rss } = growthOf(report);
    expect(heap.growth).toBeLessThanOrEqual(4 * MIB);
    expect(rss.growth).toBeLessThanOrEqual(16 * MIB);
    // In a few seconds the slope is noise.
    if (SECONDS < 300) return;
    expect(heap.growthPerMinute).toBeLessThanOrEqual(0.5 * MIB);
    expect(rss.growthPerMinute).toBeLessThanOrEqual(1 * MIB);
  },
);

/**
 * How memory grew from the second to the last quarter, and by the minute in the second half, in bytes. Before that the
 * allocator still comes to its high-water mark: one quarter more is 5 MiB of RSS, and then no more of it.
 */
function growthOf({ samples }: SoakReport) {
  const of = (kind: keyof MemorySample) => {
    const values = samples.map((sample) => sample[kind]);
    const quarters = ([0, 1, 2, 3] as const).map((quarter) => quarterMedian(values, quarter));
    const growthPerMinute = (slopeOf(values.slice(values.length / 2)) * 60_000) / SAMPLE_MS;
    return { quarters, growth: (quarters[3] ?? 0) - (quarters[1] ?? 0), growthPerMinute };
  };
  return { heap: of('heap'), rss: of('rss') };
}

function tell(form: string, report: SoakReport, struck: object): void {
  const { operations, bytesPut, bytesGot, objects, remarks } = report;
  const mib = (bytes: number, digits = 1) => (bytes / MIB).toFixed(digits);
  const memory = Object.entries(growthOf(report)).map(
    ([kind, { quarters, growthPerMinute }]) =>
      `${kind} ${quarters.map((bytes) => mib(bytes)).join(', ')} MiB by quarter, ${mib(growthPerMinute, 2)} MiB a minute`,
  );
  const done = Object.values(operations).reduce((sum, count) => sum + count, 0);
  console.log(
    [
      `${form}, ${SECONDS} s: ${done} operations ${JSON.stringify(operations)}, ${registry.countRequests()} requests`,
      `struck ${JSON.stringify(struck)}`,
      `${mib(bytesPut, 0)} MiB put, ${mib(bytesGot, 0)} MiB got, ${objects.length} objects in the end`,
      ...memory,
      ...remarks,
    ].join('\n  '),
  );
}

/** Objects that are not what was acknowledged, and those that nobody knows of. */
async function wrongObjects(location: string, objects: readonly SoakedObject[]): Promise<string[]> {
  const open = openOciStore(location);
  try {
    const wrong: string[] = [];
    for (const type of ['packfile', 'state'] as const) {
      const expected = new Map(objects.filter((one) => one.type === type).map((one) => [one.mac, one]));
      for await (const mac of open.store.list(type))
        if (!expected.has(mac)) wrong.push(`${type} ${mac} was deleted`);
      for (const { mac, bytes, sha256 } of expected.values()) {
        const hash = createHash('sha256');
        let length = 0;
        const content = await open.store.get({ type, mac });
        for await (const chunk of content.stream) {
          hash.update(chunk);
          length += chunk.length;
        }
        if (length !== bytes || hash.digest('hex') !== sha256) wrong.push(`${type} ${mac} differs`);
      }
    }
    for await (const mac of open.store.list('lock')) wrong.push(`lock ${mac} was deleted`);
    return wrong;
  } finally {
    await open.close();
  }
}

/** Every row of the fault table against the real client. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isKlosetError } from '../../src/errors.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { KIB } from '../engine/rig.ts';
import { OPERATIONS, type Operation } from './operations.ts';
import type { Rows } from './row.ts';
import { makeProps, type Props, type Stage, setStage } from './stage.ts';
import { TABLE } from './table.ts';

interface Row extends Rows {
  readonly name: string;
  readonly specs: readonly string[];
  readonly operation: Operation;
}

const ROWS: readonly Row[] = TABLE.flatMap((rows) =>
  rows.faults.flatMap((fault) =>
    rows.does.map((name) => {
      const specs = typeof fault === 'string' ? [fault] : fault;
      const what = specs.length > 0 ? specs.join(' and ') : 'no fault';
      return { ...rows, specs, operation: OPERATIONS[name], name: `${name}: ${what}` };
    }),
  ),
);

let props: Props;
beforeAll(async () => {
  props = await makeProps();
});
afterAll(() => props.remove());

describe(`the fault table of ${ROWS.length} rows`, () => {
  test.each(ROWS.map((row) => [row.name, row] as const))('%s', async (_, row) => {
    const { operation } = row;
    const stage = await setStage(props, {
      ...operation.options,
      ...row.options,
      ...(row.realTime && { clock: systemClock }),
    });
    try {
      await operation.before?.(stage);
      stage.misbehave([...row.specs, ...(row.never ?? [])]);
      const error = await operation.run(stage).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expectOutcome(row, error);
      expectCosts(row, stage);
      const orphans = stage.registry.openSessions();
      expect(orphans.length, JSON.stringify(orphans)).toBe(row.orphans ?? 0);
      if (row.ends === undefined) await operation.done?.(stage);
      else await operation.undone?.(stage);
    } finally {
      await stage.close();
    }
  });
});

function expectOutcome(row: Row, error: unknown): void {
  if (row.ends === undefined) {
    if (error !== undefined) throw error;
    return;
  }
  expect(isKlosetError(error) ? error.code : error).toBe(row.ends);
  if (row.says) expect(String(error)).toMatch(row.says);
}

function expectCosts(row: Row, { registry, counts, clock, open }: Stage): void {
  const requests = registry.requestLog();
  const total = registry.countRequests();
  const { operation, extra = 3, again = 0 } = row;
  expect(total, JSON.stringify(open.stats().requests)).toBeLessThanOrEqual(operation.cleanRequests + extra);
  if (row.specs.length === 0) expect(total).toBe(operation.cleanRequests);
  const sent = requests
    .filter(({ route }) => route.startsWith('upload'))
    .reduce((sum, { requestBytes }) => sum + requestBytes, 0);
  expect(sent / KIB).toBeLessThanOrEqual((operation.bytes * (1 + again)) / KIB + 1);
  for (const { spec, hits } of counts().slice(0, row.specs.length)) {
    if (!spec.startsWith('connections')) expect(hits, `${spec} struck`).toBeGreaterThan(0);
  }
  for (const { spec, hits } of counts().slice(row.specs.length)) expect(hits, spec).toBe(0);
  if (!row.waitsMs) return;
  const waited = clock.sleeps.reduce((sum, ms) => sum + ms, 0);
  expect(waited).toBeGreaterThanOrEqual(row.waitsMs[0] - 1000);
  expect(waited).toBeLessThanOrEqual(row.waitsMs[1]);
}

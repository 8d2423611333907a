/** Plays rows of the fault table against the real client. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isKlosetError } from '../../src/errors.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { KIB } from '../engine/rig.ts';
import { OPERATIONS, type Operation, type OperationName } from './operations.ts';
import type { Rows } from './row.ts';
import { makeProps, type Props, type Stage, setStage } from './stage.ts';

interface Row extends Rows {
  readonly title: string;
  readonly specs: readonly string[];
  readonly name: OperationName;
}

/** The rows of a table: each fault of a line at each of its operations. */
export function rowsOf(table: readonly Rows[]): readonly Row[] {
  return table.flatMap((rows) =>
    rows.faults.flatMap((fault) =>
      rows.does.map((name) => {
        const specs = typeof fault === 'string' ? [fault] : fault;
        return { ...rows, specs, name, title: `${name}: ${specs.join(' and ') || 'no fault'}` };
      }),
    ),
  );
}

/** Makes a test of each row. */
export function playRows(rows: readonly Row[]): void {
  let props: Props;
  beforeAll(async () => {
    props = await makeProps();
  });
  afterAll(() => props.remove());

  const later = rows.filter(({ pending }) => pending !== undefined);
  describe(`${rows.length} rows of the fault table, ${later.length} of them pending`, () => {
    test.skip.each(later.map(({ title, pending }) => [title, pending] as const))('%s: %s', () => {});

    test.each(rows.filter((row) => !later.includes(row)).map((row) => [row.title, row] as const))(
      '%s',
      async (_, row) => {
        const operation: Operation = OPERATIONS[row.name];
        const cleanRequests = await requestsWithoutFaults(row.name, props);
        const clock = row.realTime && { clock: systemClock };
        const stage = await setStage(props, { ...operation.options, ...row.options, ...clock });
        try {
          await operation.before?.(stage);
          stage.misbehave([...row.specs, ...(row.never ?? [])]);
          const error = await operation.run(stage).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          expectOutcome(row, error);
          expectCosts(row, operation, cleanRequests, stage);
          const orphans = stage.registry.openSessions();
          expect(orphans.length, JSON.stringify(orphans)).toBe(row.orphans ?? 0);
          if (row.ends === undefined) await operation.done?.(stage);
          else await operation.undone?.(stage);
        } finally {
          await stage.close();
        }
      },
    );
  });
}

const clean = new Map<OperationName, Promise<number>>();

/** What an operation takes where nothing goes wrong, which is what the rows are measured by. */
function requestsWithoutFaults(name: OperationName, props: Props): Promise<number> {
  const measure = async () => {
    const operation: Operation = OPERATIONS[name];
    const stage = await setStage(props, operation.options ?? {});
    try {
      await operation.before?.(stage);
      stage.registry.resetRequestLog();
      await operation.run(stage);
      return stage.registry.countRequests();
    } finally {
      await stage.close();
    }
  };
  let known = clean.get(name);
  if (!known) {
    known = measure();
    clean.set(name, known);
  }
  return known;
}

function expectOutcome(row: Row, error: unknown): void {
  if (row.ends === undefined) {
    if (error !== undefined) throw error;
    return;
  }
  expect(isKlosetError(error) ? error.code : error).toBe(row.ends);
  if (row.says) expect(String(error)).toMatch(row.says);
}

function expectCosts(
  row: Row,
  operation: Operation,
  cleanRequests: number,
  { registry, counts, clock, open }: Stage,
): void {
  const requests = registry.requestLog();
  const total = registry.countRequests();
  const { extra = 3, again = 0 } = row;
  expect(total, JSON.stringify(open.stats().requests)).toBeLessThanOrEqual(cleanRequests + extra);
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

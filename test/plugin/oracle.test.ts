import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serveHost } from '../../src/plugin/http2/server.ts';
import { serveHostOnNode } from '../../src/plugin/nodeTransport.ts';
import { carryOut, expectedOf, schedule } from './schedules.ts';

/** More for a long search: `ORACLE_RUNS=1000`. */
const RUNS = Number(process.env.ORACLE_RUNS ?? 25);

describe('the two transports', () => {
  it(
    'behave alike, and as they must, in any valid conversation with a host on node:http2',
    async () => {
      await fc.assert(
        fc.asyncProperty(schedule, async (plan) => {
          const own = await carryOut(serveHost, plan);
          const oracle = await carryOut(serveHostOnNode, plan);
          expect(own).toEqual(oracle);
          expect(own).toMatchObject(plan.calls.map(expectedOf));
        }),
        { numRuns: RUNS },
      );
    },
    1_000 * RUNS + 60_000,
  );
});

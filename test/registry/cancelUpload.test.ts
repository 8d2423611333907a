/** Cancellations of upload sessions while the registry is in the trouble that made them necessary. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseFaults } from '../../src/emulator/faults/index.ts';
import { type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { cancelUpload, startUpload } from '../../src/registry/uploads.ts';
import { type OpenExchange, openExchange } from '../../src/store/openExchange.ts';

let registry: RunningRegistry;
let open: OpenExchange;
beforeEach(async () => {
  registry = await startRegistry();
  open = openExchange(parseReference(`oci://${registry.address}/cancelled/uploads`), {});
});
afterEach(async () => {
  await open.close();
  await registry.close();
});

/** Opens a session, cancels it under a fault, and says how often that was asked. */
async function cancelUnder(fault: string, timeoutMs = 600): Promise<{ asked: number; left: number }> {
  const session = await startUpload(open.exchange);
  if (session === 'mounted') throw new Error('a mount was not asked for');
  registry.setFaults(parseFaults([fault]));
  await cancelUpload(open.exchange, session, timeoutMs);
  const asked = registry.countRequests({ method: 'DELETE' });
  return { asked, left: registry.openSessions().length };
}

test.each(['503@upload-cancel:nth=1', 'reset@upload-cancel:nth=1', 'stall@upload-cancel:nth=1'])(
  'a cancellation that is struck by %s is asked for again',
  async (fault) => {
    expect(await cancelUnder(fault)).toEqual({ asked: 2, left: 0 });
  },
);

test.each(['405@upload-cancel', '404@upload-cancel', '429@upload-cancel'])(
  'a registry that answers with %s is not asked again',
  async (fault) => {
    expect(await cancelUnder(fault)).toEqual({ asked: 1, left: 1 });
  },
);

test('a registry that never says anything is given up in time', async () => {
  const startedMs = performance.now();
  expect(await cancelUnder('stall@upload-cancel', 300)).toMatchObject({ left: 1 });
  expect(performance.now() - startedMs).toBeLessThan(3000);
});

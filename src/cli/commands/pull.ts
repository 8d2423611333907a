import { DirectoryStore } from '../../store/directoryStore.ts';
import { pullAll } from '../../store/transfer.ts';
import { startProgress } from '../progress.ts';
import { withSession } from '../session.ts';
import type { CommonFlags } from '../storeOptions.ts';
import { printSummary } from '../summary.ts';

export async function pull(location: string, directory: string, flags: CommonFlags): Promise<void> {
  await withSession(location, flags, async (session) => {
    const startedMs = performance.now();
    // The threads take a tenth of a second to start, in which the registry is asked what there is.
    session.coordinator.hasher.provider().catch(() => {});
    const progress = await startProgress(session.output, 'pulling', flags.verbose ?? false);
    try {
      const { concurrency } = session.settings;
      const target = new DirectoryStore(directory);
      const result = await pullAll(session.store, target, {
        signal: session.signal,
        onEvent: progress.onEvent,
        concurrency,
      });
      progress.stop();
      await printSummary(session, 'pulled', { ...result, seconds: (performance.now() - startedMs) / 1000 });
    } finally {
      progress.stop();
    }
  });
}

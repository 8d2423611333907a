import type { ObjectType } from '../../store/objectNames.ts';
import { planPush } from '../../store/pushItems.ts';
import { pushAll } from '../../store/transfer.ts';
import { startProgress } from '../progress.ts';
import { type ResumeFlags, resumeOptions } from '../resume.ts';
import { type Session, withSession } from '../session.ts';
import type { CommonFlags } from '../storeOptions.ts';
import { printSummary } from '../summary.ts';

export async function push(
  sources: readonly string[],
  location: string,
  flags: CommonFlags & ResumeFlags & { type?: ObjectType },
): Promise<void> {
  const run = async (session: Session) => {
    const startedMs = performance.now();
    // The threads start while the source is being looked at.
    session.coordinator.hasher.provider().catch(() => {});
    const plan = await planPush(sources, flags.type);
    const progress = await startProgress(session.output, 'pushing', flags.verbose ?? false);
    try {
      const { concurrency } = session.settings;
      const result = await pushAll(plan, session.store, {
        signal: session.signal,
        onEvent: progress.onEvent,
        concurrency,
      });
      progress.stop();
      await printSummary(session, 'pushed', { ...result, seconds: (performance.now() - startedMs) / 1000 });
    } finally {
      progress.stop();
    }
  };
  await withSession(location, flags, run, resumeOptions(flags));
}

import { KlosetError } from '../../errors.ts';
import { OBJECT_TYPES, type ObjectRef } from '../../store/objectNames.ts';
import { runAll } from '../../store/runAll.ts';
import { type Session, withSession } from '../session.ts';
import type { CommonFlags } from '../storeOptions.ts';
import { printSummary } from '../summary.ts';

/** `verify`: every object resolves and has the right size; `--deep` also reads and digests it. */
export async function verify(location: string, flags: CommonFlags & { deep?: boolean }): Promise<void> {
  await withSession(location, flags, async (session) => {
    const startedMs = performance.now();
    const figures = await verifyAll(session, flags.deep ?? false, session.settings.concurrency);
    await printSummary(session, 'verified', { ...figures, seconds: (performance.now() - startedMs) / 1000 });
    if (figures.damaged > 0) {
      throw new KlosetError(
        'STORE_DAMAGED',
        `${figures.damaged} of ${figures.objects} objects are missing or damaged`,
        {
          registry: session.store.location,
          remedy: 'Push the store again from a copy: whole objects are kept, damaged ones are not.',
        },
      );
    }
  });
}

/** Verifies the configuration and all objects; reports each finding. */
export async function verifyAll(session: Session, deep: boolean, concurrency?: number) {
  const { store, signal, output } = session;
  // A location without a store is no store without damage.
  await store.open({ signal });
  const figures = { objects: 0, skipped: 0, bytes: 0, damaged: 0 };
  const check = async (ref: ObjectRef | 'CONFIG', jobSignal: AbortSignal) => {
    const finding = await store.verify(ref, { signal: jobSignal, deep });
    const [type, mac] = ref === 'CONFIG' ? ['config', 'CONFIG'] : [ref.type, ref.mac];
    figures.objects++;
    if (finding.ok) {
      figures.bytes += finding.bytes;
      output.event({ event: 'object', type, mac, ok: true, bytes: finding.bytes });
    } else {
      figures.damaged++;
      output.note(finding.error.message);
      output.event({ event: 'object', type, mac, ok: false, error: finding.error.message });
    }
  };
  await check('CONFIG', signal);
  await runAll(await store.listAll(OBJECT_TYPES, { signal }), { signal, concurrency }, check);
  return figures;
}

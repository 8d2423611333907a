import { OBJECT_TYPES, type ObjectType } from '../../store/objectNames.ts';
import { runAll } from '../../store/runAll.ts';
import { formatBytes, formatTable } from '../format.ts';
import { type Session, withSession } from '../session.ts';
import type { CommonFlags } from '../storeOptions.ts';

/** `ls`: every object with its size. */
export async function ls(location: string, flags: CommonFlags & { type?: ObjectType }): Promise<void> {
  await withSession(location, flags, async (session) => {
    await eachObject(
      session,
      flags.type ? [flags.type] : OBJECT_TYPES,
      session.settings.concurrency,
      (type, mac, bytes) => {
        session.output.line(`${type.padEnd(12)} ${mac} ${formatBytes(bytes)}`);
        session.output.event({ event: 'object', type, mac, bytes });
      },
    );
  });
}

/** `stat`: counts and bytes per type. */
export async function stat(location: string, flags: CommonFlags): Promise<void> {
  await withSession(location, flags, async (session) => {
    const totals = new Map(OBJECT_TYPES.map((type) => [type, { objects: 0, bytes: 0 }]));
    const config = await session.store.open({ signal: session.signal });
    await eachObject(session, OBJECT_TYPES, session.settings.concurrency, (type, _mac, bytes) => {
      const total = totals.get(type);
      if (!total) return;
      total.objects++;
      total.bytes += bytes;
    });
    const rows = [...totals].filter(([, { objects }]) => objects > 0);
    session.output.line(session.store.location);
    session.output.line(
      formatTable([
        ['config', '1', formatBytes(config.length)],
        ...rows.map(([type, { objects, bytes }]) => [type, String(objects), formatBytes(bytes)]),
      ]),
    );
    session.output.event({
      event: 'stat',
      location: session.store.location,
      configBytes: config.length,
      types: Object.fromEntries(rows),
    });
  });
}

async function eachObject(
  session: Session,
  types: readonly ObjectType[],
  concurrency: number | undefined,
  report: (type: ObjectType, mac: string, bytes: number) => void,
): Promise<void> {
  const { store, signal } = session;
  const found = Map.groupBy(await store.listAll(types, { signal }), ({ type }) => type);
  for (const type of types) {
    const macs = (found.get(type) ?? []).map(({ mac }) => mac);
    await runAll(macs.sort(), { signal, concurrency }, async (mac, jobSignal) => {
      // `ls | head` needs no further sizes.
      if (session.output.readerGone) return;
      report(type, mac, (await store.stat({ type, mac }, { signal: jobSignal })).bytes);
    });
  }
}

/** A client of live.ts, in a process of its own: small objects to one repository, as fast as the registry takes them. */
import { createHash } from 'node:crypto';
import { bufferSource } from '../../src/engine/bufferSource.ts';
import type { RateCap } from '../../src/registry/profiles.ts';
import { objectRef } from '../../src/store/objectNames.ts';
import { openOciStore } from '../../src/store/openStore.ts';
import { runAll } from '../../src/store/runAll.ts';

export interface ClientOrder {
  readonly location: string;
  readonly objects: number;
  /** No object is begun after so long, in milliseconds. */
  readonly untilMs: number | undefined;
  /** The caps that the client is told of. */
  readonly caps: readonly RateCap[] | undefined;
}

/** The numbers below `count`, as long as there is time. */
function* inTime(count: number, untilMs = Number.POSITIVE_INFINITY): Iterable<number> {
  for (let number = 0; number < count && performance.now() < untilMs; number++) yield number;
}

const { location, objects, untilMs, caps } = JSON.parse(process.argv[2] ?? '') as ClientOrder;
const { store, close } = openOciStore(location, {
  hasher: 'native',
  looksBeforePut: false,
  ...(caps && { caps }),
});
try {
  await runAll(inTime(objects, untilMs), {}, async (number) => {
    const name = `${location} object ${number}`;
    const mac = createHash('sha256').update(name).digest('hex');
    await store.put(objectRef('packfile', mac), bufferSource(Buffer.from(name.repeat(20)), name));
  });
} finally {
  await close();
}

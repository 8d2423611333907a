import { readFile } from 'node:fs/promises';
import { KlosetError } from '../../errors.ts';
import { describeRef, objectRef } from '../../store/objectNames.ts';
import { confirm } from '../confirm.ts';
import { withSession } from '../session.ts';
import type { CommonFlags } from '../storeOptions.ts';

/** `create`: writes a configuration where there is none. */
export async function create(location: string, flags: CommonFlags & { config: string }): Promise<void> {
  const config = await readFile(flags.config).catch((cause) => {
    throw new KlosetError('SOURCE_MISSING', 'cannot be read', {
      object: flags.config,
      remedy: 'Check the path.',
      cause,
    });
  });
  await withSession(location, flags, async ({ store, output, signal }) => {
    await store.create(config, { signal });
    output.line(`created ${store.location}`);
    output.event({ event: 'created', location: store.location, bytes: config.length });
  });
}

/** `rm`: deletes objects. */
export async function rm(
  location: string,
  macs: readonly string[],
  flags: CommonFlags & { type: string; yes?: boolean },
): Promise<void> {
  const refs = macs.map((mac) => objectRef(flags.type, mac));
  await withSession(location, flags, async ({ store, output, signal }) => {
    const agreed =
      flags.yes || (await confirm(`Delete ${refs.length} ${flags.type}(s) from ${store.location}?`, signal));
    if (!agreed) throw new KlosetError('CANCELLED', 'nothing was deleted');
    for (const ref of refs) {
      // Deleting what is not there is a mistake of the caller here, unlike in a store's own clean-up.
      await store.stat(ref, { signal });
      await store.delete(ref, { signal });
      output.line(`deleted ${describeRef(ref)}`);
      output.event({ event: 'deleted', ...ref });
    }
  });
}

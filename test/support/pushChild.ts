/**
 * A push in a process of its own, for tests that kill it: the engine as the command line uses it, without the time
 * that the command line itself takes to start.
 */
import { copyAll, openOciStore, openPlace, planPush, pushAll } from '../../src/index.ts';

const [from = '', location = '', journalFolder = '', chunkBytes = ''] = process.argv.slice(2);
const open = openOciStore(location, {
  journalFolder: journalFolder || undefined,
  chunkBytes: chunkBytes ? Number(chunkBytes) : undefined,
  hasher: 'native',
  onRemark: (remark) => process.stderr.write(`${remark}\n`),
});
try {
  const result = from.startsWith('oci://')
    ? await copyAll((await openPlace(from)).store, open.store)
    : await pushAll(await planPush([from]), open.store);
  await open.close();
  process.stdout.write(JSON.stringify(result));
} catch (error) {
  await open.close();
  process.stderr.write(String(error));
  process.exitCode = 1;
}

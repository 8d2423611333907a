/**
 * Records how plakar reads: two backups of each of three trees with a change between them, then every reading command,
 * one trace each. With `--plugin FILE` the plugin traces itself (`npm run plakar:package` makes the file); without, the
 * Go connector is watched on its way to the registry. docs/read-path.md says what is done with the traces.
 *
 * `KLOSET_OCI_PEERS=… npm run bench:traces -- --plugin dist-package/oci_v0.1.0_linux_amd64.ptar --trees mixed`
 */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Scratch, scratch } from '../../test/support/scratch.ts';
import { packTrace } from './packed.ts';
import { type TraceSource, throughGoConnector, throughPlugin } from './sources.ts';
import { changeTree, TREES, type TraceTree } from './trees.ts';

const MIB = 1024 * 1024;
const { values } = parseArgs({
  options: {
    trees: { type: 'string', default: TREES.map(({ name }) => name).join(',') },
    plugin: { type: 'string' },
    into: { type: 'string', default: import.meta.dirname },
    /** Longer traces are cut: what follows is more of the same. */
    'max-reads': { type: 'string', default: '12000' },
  },
});

async function snapshots(source: TraceSource): Promise<string[]> {
  const listed = await source.run('ls');
  return [...listed.matchAll(/^\S+Z\s+([0-9a-f]{8})\s/gm)].map((match) => match[1] as string);
}

async function recordTree(tree: TraceTree, source: TraceSource, home: Scratch): Promise<void> {
  const root = join(home.path, 'tree');
  const record = async (name: string, ...args: string[]) => {
    const raw = join(home.path, `${name}.txt`);
    await source.trace(raw, ...args);
    const text = await readFile(raw, 'utf8');
    const path = join(values.into, `${tree.name}-${name}.trace.br`);
    const kept = await packTrace(text, path, Number(values['max-reads']));
    const bytes = kept.reads.reduce((sum, { length }) => sum + length, 0);
    const seconds = ((kept.reads.at(-1)?.startUs ?? 0) / 1e6).toFixed(1);
    console.log(
      `${tree.name}-${name}: ${kept.reads.length} reads of ${kept.objects.length} objects, ` +
        `${(bytes / MIB).toFixed(1)} MiB, ${seconds} s, packed into ${(await stat(path)).size} bytes`,
    );
  };

  await tree.write(root);
  await source.run('create');
  await source.run('backup', root);
  const [first = ''] = await snapshots(source);
  const folder = `${first}:${join(root, tree.folder)}`;
  for (const to of ['restored', 'part']) await mkdir(join(home.path, to));
  await record('restore', 'restore', '-to', join(home.path, 'restored'), first);
  await record('restore-folder', 'restore', '-to', join(home.path, 'part'), folder);
  await record('check', 'check');
  await record('cat', 'cat', `${first}:${join(root, tree.catFile)}`);
  await record('ls', 'ls', '-recursive', first);
  await changeTree(tree, root);
  await record('backup', 'backup', root);
  const second = (await snapshots(source)).find((id) => id !== first) ?? '';
  await record('diff', 'diff', '-recursive', first, second);
}

await mkdir(values.into, { recursive: true });
for (const tree of TREES.filter(({ name }) => values.trees.split(',').includes(name))) {
  const home = await scratch(`traces-${tree.name}`);
  const { plugin } = values;
  const source = plugin === undefined ? await throughGoConnector() : await throughPlugin(resolve(plugin));
  try {
    await recordTree(tree, source, home);
  } finally {
    await source.close();
    await home.remove();
  }
}

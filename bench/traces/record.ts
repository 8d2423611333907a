/**
 * Records how plakar reads: restores, checks and looks at backups of three trees, and writes one trace per command.
 * `KLOSET_OCI_PEERS=… node bench/traces/record.ts --trees big,mixed --into /tmp/traces`
 */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Scratch, scratch } from '../../test/support/scratch.ts';
import { packTrace } from './packed.ts';
import { type TraceSource, throughGoConnector } from './sources.ts';
import { changeTree, TREES, type TraceTree } from './trees.ts';

const { values } = parseArgs({
  options: {
    trees: { type: 'string', default: TREES.map(({ name }) => name).join(',') },
    into: { type: 'string', default: import.meta.dirname },
    /** Longer traces are cut: what follows is more of the same. */
    'max-reads': { type: 'string', default: '20000' },
  },
});

/** Two backups of a tree with a change between them, and every reading command on them. */
async function recordTree(tree: TraceTree, source: TraceSource, home: Scratch): Promise<void> {
  const { plakar, location } = source;
  const root = join(home.path, 'tree');
  const at = (...args: string[]) => plakar.run('at', location, ...args);
  const record = async (name: string, command: () => Promise<unknown>) => {
    const raw = join(home.path, `${name}.txt`);
    await source.tracing(raw, command);
    const text = await readFile(raw, 'utf8').catch(() => '');
    if (!text.includes(' packfile ')) {
      console.log(`${tree.name}-${name}: no packfile was read`);
      return;
    }
    const path = join(values.into, `${tree.name}-${name}.trace.br`);
    const kept = await packTrace(text, path, Number(values['max-reads']));
    const bytes = kept.reads.reduce((sum, { length }) => sum + length, 0);
    console.log(
      `${tree.name}-${name}: ${kept.reads.length} reads, ${(bytes / 2 ** 20).toFixed(1)} MiB, ` +
        `${kept.objects.length} objects, ${((kept.reads.at(-1)?.startUs ?? 0) / 1e6).toFixed(1)} s, ` +
        `${(await stat(path)).size} bytes packed`,
    );
  };

  await tree.write(root);
  await plakar.create(location);
  await plakar.backup(location, root);
  const [first = ''] = await plakar.ls(location);
  const restored = join(home.path, 'restored');
  await record('restore', () => plakar.restore(location, restored, first));
  await record('check', () => plakar.check(location));
  await record('restore-folder', () =>
    plakar.restore(location, join(home.path, 'part'), `${first}:${join(root, tree.folder)}`),
  );
  await record('cat', () => at('cat', `${first}:${join(root, tree.catFile)}`));
  await record('ls', () => at('ls', '-recursive', first));
  await changeTree(tree, root);
  await record('backup', () => plakar.backup(location, root));
  const second = (await plakar.ls(location)).find((id) => id !== first) ?? '';
  await record('diff', () => at('diff', '-recursive', first, second).catch(() => undefined));
}

await mkdir(values.into, { recursive: true });
for (const tree of TREES.filter(({ name }) => values.trees.split(',').includes(name))) {
  const home = await scratch(`traces-${tree.name}`);
  const source = await throughGoConnector();
  try {
    await recordTree(tree, source, home);
  } finally {
    await source.close();
    await home.remove();
  }
}

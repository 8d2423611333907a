/** Backups with the real plakar that are killed at random moments, and what they leave in the registry. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultPlan, RunningRegistry } from '../../src/emulator/index.ts';
import { seededRandom } from './killedPushes.ts';
import { type Plakar, pluginsOf } from './plakar.ts';
import { tagsOf } from './registryState.ts';
import { writeSmallTree } from './seededTree.ts';

export interface KilledBackupsOptions {
  readonly plakar: Plakar;
  readonly registry: RunningRegistry;
  readonly repository: string;
  /** Where the tree that is backed up is written, anew for each backup. */
  readonly tree: string;
  /** Backups to kill. */
  readonly runs: number;
  readonly seed: number;
}

export interface KilledBackups {
  /** How many backups ended by a kill of the one and of the other, and how many were done before it came. */
  readonly ended: { plakar: number; plugin: number; itself: number };
  /** States that were looked into. */
  readonly states: number;
  /** Packfiles that a state names and the registry does not have, as `state names packfile`. */
  readonly missing: readonly string[];
}

/** Manifests take their time, each another one: what must wait for what shows only then. */
function slowManifests(random: () => number): FaultPlan {
  return {
    before: ({ method, route }) =>
      method === 'PUT' && route === 'manifest' ? { kind: 'hold', until: delay(random() * 150) } : undefined,
  };
}

/** After each backup, killed or not, every state in the registry is asked for its packfiles. */
export async function backUpKilled(options: KilledBackupsOptions): Promise<KilledBackups> {
  const { plakar, registry, repository, tree, runs, seed } = options;
  const store = `oci://${registry.address}/${repository}`;
  const random = seededRandom(seed);
  const ended = { plakar: 0, plugin: 0, itself: 0 };
  const missing: string[] = [];
  const seen = new Set<string>();
  registry.setFaults(slowManifests(random));
  await writeSmallTree(tree, seed);
  const startedMs = performance.now();
  await plakar.backup(store, tree);
  const wholeMs = performance.now() - startedMs;

  // Some are done before the kill comes: those do not count.
  for (let run = 1; ended.plakar + ended.plugin < runs && run <= 3 * runs; run++) {
    // Every other one is of the same files as the one before, of which it sends what plakar believes to be missing.
    if (run % 2 === 1) await writeSmallTree(tree, seed + run * 1000);
    const victim = random() < 0.5 ? 'plakar' : 'plugin';
    const backup = plakar.start('at', store, 'backup', tree);
    const moment = delay(random() * wholeMs);
    await Promise.race([moment, backup.exited]);
    const plugins = await pluginsOf(backup.pid);
    if (victim === 'plugin') for (const pid of plugins) kill(pid);
    else backup.signal('SIGKILL');
    const { code, signal } = await backup.exited;
    // What a plugin was given it may still finish, or drop: only then is the registry what it stays.
    await Promise.all(plugins.map(gone));
    if (signal === 'SIGKILL') ended.plakar++;
    else if (code === 0) ended.itself++;
    else ended.plugin++;

    const tags = new Set(await tagsOf(registry.address, repository));
    for (const tag of tags) {
      if (!tag.startsWith('state-') || seen.has(tag)) continue;
      seen.add(tag);
      const { stdout } = await plakar.run('at', store, 'diag', 'state', tag.slice('state-'.length));
      const named = new Set([...stdout.matchAll(/ : packfile ([0-9a-f]{64}),/g)].map(([, mac]) => mac));
      if (named.size === 0) throw new Error(`no packfile was found in ${tag}:\n${stdout.slice(0, 1000)}`);
      for (const mac of named) if (!tags.has(`packfiles-${mac}`)) missing.push(`${tag} names ${mac}`);
    }
  }
  registry.setFaults(undefined);
  return { ended, states: seen.size, missing };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the look and the signal.
  }
}

/**
 * Resolves when a process is gone; a plugin whose host is dead ends within 10 s. One that has ended and that nobody has
 * asked for its exit code counts: whoever takes over orphans may be in no hurry.
 */
async function gone(pid: number): Promise<void> {
  for (let left = 2000; left > 0; left--) {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
    // Field 3, behind the name in brackets.
    if (stat === undefined || stat.charAt(stat.lastIndexOf(')') + 2) === 'Z') return;
    await delay(10);
  }
  throw new Error(`process ${pid} does not end`);
}

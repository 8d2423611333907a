/** The plugin as plakar starts it: a child process behind two pipes. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { GrpcClient } from './grpcClient.ts';

const MAIN = fileURLToPath(new URL('../../../src/plugin/main.ts', import.meta.url));

export interface PluginProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** What it wrote to the terminal. */
  stderr(): string;
}

export interface StartedPlugin extends PluginProcess {
  readonly client: GrpcClient;
  /** Hangs up as a host does, and returns the exit status. */
  hangUp(): Promise<number | null>;
}

const alive = new Set<{ kill(signal: NodeJS.Signals): boolean }>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** The process alone, for what no client would send. */
export function spawnPlugin(env: Record<string, string> = {}): PluginProcess {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  alive.add(child);
  child.stdin.on('error', () => {});
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const exited = once(child, 'close').then(([code, signal]) => {
    alive.delete(child);
    return { code, signal };
  });
  return { child, exited, stderr: () => stderr };
}

export function startPlugin(env: Record<string, string> = {}): StartedPlugin {
  const plugin = spawnPlugin(env);
  const client = new GrpcClient(plugin.child.stdout, plugin.child.stdin);
  return {
    ...plugin,
    client,
    hangUp: async () => {
      client.session.destroy();
      plugin.child.stdin.end();
      return (await plugin.exited).code;
    },
  };
}

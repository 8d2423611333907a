/** Programs that run beside a test: started, listened to and stopped by handle, never outliving the test process. */
import { type ChildProcess, spawn } from 'node:child_process';

interface StartOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** A file descriptor that takes stdout and stderr instead of memory, for programs that log a lot. */
  logTo?: number;
}

interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Running {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** Everything that was written so far, stdout and stderr mixed. */
  output(): string;
  /** Resolves with the first line, past or future, that matches. */
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when that has no effect within the time. */
  stop(timeoutMs?: number): Promise<Exit>;
}

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export function start(command: string, args: readonly string[], options: StartOptions = {}): Running {
  const sink = options.logTo ?? 'pipe';
  const child = spawn(command, args, {
    stdio: ['ignore', sink, sink],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  alive.add(child);
  let text = '';
  const watchers = new Set<() => void>();
  const wake = () => {
    for (const watcher of watchers) watcher();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      wake();
    });
  }
  let ended = false;
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  }).finally(() => {
    ended = true;
    alive.delete(child);
    wake();
  });
  exited.catch(() => undefined);

  function waitForLine(pattern: RegExp, timeoutMs = 20_000): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(new Error(`no line ${pattern} in ${timeoutMs} ms`)), timeoutMs);
      const finish = (result: RegExpMatchArray | Error) => {
        clearTimeout(timer);
        watchers.delete(look);
        if (result instanceof Error) reject(new Error(`${command}: ${result.message}; output:\n${text}`));
        else resolve(result);
      };
      const look = () => {
        for (const line of text.split('\n')) {
          const match = line.match(pattern);
          if (match) return finish(match);
        }
        if (ended) finish(new Error(`ended without a line ${pattern}`));
      };
      watchers.add(look);
      look();
    });
  }

  async function stop(timeoutMs = 5_000): Promise<Exit> {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    try {
      return await exited;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    get pid() {
      if (child.pid === undefined) throw new Error(`${command} could not be started`);
      return child.pid;
    },
    exited,
    output: () => text,
    waitForLine,
    signal: (signal) => {
      child.kill(signal);
    },
    stop,
  };
}

/**
 * A program run to its end, with the processor time and peak memory that the kernel charged to it.
 *
 * Node cannot ask for the resource usage of one child, and reading /proc as it exits is a race; Python's `wait4`
 * reports exactly this child. The wrapper costs its own start, so the clock runs inside it.
 */
import { spawn } from 'node:child_process';

const WRAPPER = `
import json, os, signal, sys, time
os.set_inheritable(3, False)
signal.signal(signal.SIGINT, signal.SIG_IGN)
begin = time.monotonic()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, setsigdef=[signal.SIGINT, signal.SIGPIPE])
_, status, usage = os.wait4(pid, 0)
seconds = time.monotonic() - begin
code = os.waitstatus_to_exitcode(status)
os.write(3, json.dumps({'code': code, 'seconds': seconds, 'cpuSeconds': usage.ru_utime + usage.ru_stime,
  'peakRssBytes': usage.ru_maxrss * 1024}).encode())
`;

export interface Measured {
  /** The exit status; negative for a signal. */
  code: number;
  seconds: number;
  cpuSeconds: number;
  peakRssBytes: number;
  stdout: string;
  stderr: string;
}

export interface MeasuredOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  timeoutMs?: number;
}

export function runMeasured(
  command: string,
  args: readonly string[],
  options: MeasuredOptions = {},
): Promise<Measured> {
  const { env = process.env, cwd = process.cwd(), timeoutMs = 280_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn('/usr/bin/python3', ['-Sc', WRAPPER, command, ...args], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // A group of its own, so that the timeout also reaches the program inside the wrapper.
      detached: true,
    });
    const text = ['', '', '', ''];
    for (const index of [1, 2, 3]) {
      const stream = child.stdio[index] as NodeJS.ReadableStream | null | undefined;
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        text[index] += chunk;
      });
    }
    let timedOut = false;
    const kill = () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    process.once('exit', kill);
    const settle = () => {
      clearTimeout(timer);
      process.off('exit', kill);
    };
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('close', () => {
      settle();
      const [, stdout = '', stderr = '', report = ''] = text;
      if (report === '') {
        const why = timedOut ? `did not end within ${timeoutMs} ms` : 'left no measurement';
        reject(new Error(`${command} ${args.join(' ')} ${why}\n${stdout}\n${stderr}`));
      } else {
        resolve({ ...(JSON.parse(report) as Omit<Measured, 'stdout' | 'stderr'>), stdout, stderr });
      }
    });
  });
}

/** Like {@link runMeasured}, but an exit status other than 0 is an error that shows the output. */
export async function runOk(
  command: string,
  args: readonly string[],
  options: MeasuredOptions = {},
): Promise<Measured> {
  const run = await runMeasured(command, args, options);
  if (run.code !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${run.code}\n${run.stdout}\n${run.stderr}`);
  return run;
}

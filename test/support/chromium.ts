/** A page in a real browser without a window, over the two pipes of `--remote-debugging-pipe`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { scratch } from './scratch.ts';

export interface BrowserPage {
  /** Runs an expression in the page and returns its value, which has to be JSON. */
  evaluate<T>(expression: string): Promise<T>;
  prefer(scheme: 'light' | 'dark'): Promise<void>;
  /** What the console, the page and the network had to complain about. */
  readonly problems: readonly string[];
  /** Addresses that the page asked for, its own included. */
  readonly requested: readonly string[];
  close(): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** Opens a file. Without a network: what the page needs from elsewhere fails, and is a problem. */
export async function openInChromium(program: string, file: string): Promise<BrowserPage> {
  const profile = await scratch('chromium');
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--remote-debugging-pipe'];
  const browser = spawn(program, [...flags, `--user-data-dir=${profile.path}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const exited = once(browser, 'exit');
  const kill = () => browser.kill('SIGKILL');
  process.once('exit', kill);
  const [into, outOf] = [browser.stdio[3] as Writable, browser.stdio[4] as Readable];
  const answers = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  const problems: string[] = [];
  const requested: string[] = [];
  const loaded = Promise.withResolvers<void>();

  const onEvent: Record<string, (params: Record<string, unknown>) => void> = {
    'Page.loadEventFired': () => loaded.resolve(),
    'Runtime.consoleAPICalled': (params) => problems.push(`console: ${JSON.stringify(params.args)}`),
    'Runtime.exceptionThrown': (params) => problems.push(`exception: ${JSON.stringify(params)}`),
    'Log.entryAdded': ({ entry }) => problems.push(`log: ${JSON.stringify(entry)}`),
    'Network.requestWillBeSent': ({ request }) => requested.push((request as { url: string }).url),
  };
  let rest = '';
  outOf.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\0');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const { id, method, params = {}, result = {}, error } = JSON.parse(part) as Message;
      if (method) onEvent[method]?.(params);
      const waiting = id === undefined ? undefined : answers.get(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result);
    }
  });
  const gone = exited.then(() => {
    for (const { reject } of answers.values()) reject(new Error('the browser ended'));
  });

  let count = 0;
  let sessionId: string | undefined;
  function call(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++count;
    const answer = Promise.withResolvers<Record<string, unknown>>();
    answers.set(id, answer);
    into.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
    return answer.promise;
  }

  async function close(): Promise<void> {
    kill();
    await gone;
    process.off('exit', kill);
    await profile.remove();
  }

  try {
    const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
    const attached = await call('Target.attachToTarget', { targetId, flatten: true });
    sessionId = attached.sessionId as string;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await call(`${domain}.enable`);
    await call('Page.navigate', { url: pathToFileURL(file).href });
    await loaded.promise;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    evaluate: async <T>(expression: string) => {
      const { result, exceptionDetails } = await call('Runtime.evaluate', {
        expression,
        returnByValue: true,
      });
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value: T }).value;
    },
    prefer: async (value) => {
      const features = [{ name: 'prefers-color-scheme', value }];
      await call('Emulation.setEmulatedMedia', { features });
    },
    problems,
    requested,
    close,
  };
}

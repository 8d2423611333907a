import { spawn } from 'node:child_process';
import { cancelled, KlosetError, throwIfAborted } from '../../errors.ts';
import type { Credentials } from './credentials.ts';
import { whereToGet } from './knownHelpers.ts';

const MAX_OUTPUT_BYTES = 256 * 1024;
/** Helpers such as ecr-login ask a cloud service; a person may have to unlock a keychain. In milliseconds. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** A credential helper as a file of credentials names it. */
export interface HelperCall {
  /** The program is `docker-credential-<name>`. */
  readonly name: string;
  /** The file that names it, for messages. */
  readonly file: string;
  /** The key of the registry. */
  readonly server: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

/** Asks a helper; undefined where it has nothing for the registry. @throws KlosetError CREDENTIALS_UNUSABLE, CANCELLED */
export async function getFromHelper(call: HelperCall): Promise<Credentials | undefined> {
  const { code, stdout } = await runHelper(call, 'get', call.server);
  if (code !== 0) {
    if (isNotFound(stdout)) return undefined;
    throw failed(call, 'get', code);
  }
  const answer = parseAnswer(stdout);
  if (!answer) {
    throw unusable(call, 'printed something that is no JSON with Username and Secret', advice(call, 'get'));
  }
  const [username, secret] = answer;
  if (username === '' && secret === '') return undefined;
  const from = programOf(call);
  if (username === '<token>') return { kind: 'identity', token: secret, from };
  return { kind: 'password', username, password: secret, from };
}

/** Stores a password. @throws KlosetError CREDENTIALS_UNUSABLE, CANCELLED */
export async function storeInHelper(call: HelperCall, username: string, password: string): Promise<void> {
  const entry = JSON.stringify({ ServerURL: call.server, Username: username, Secret: password });
  const { code } = await runHelper(call, 'store', entry);
  if (code !== 0) throw failed(call, 'store', code);
}

/** Erases what a helper has for a registry; false where it had nothing. @throws KlosetError as above */
export async function eraseFromHelper(call: HelperCall): Promise<boolean> {
  // Not every helper says on erase that there was nothing.
  if ((await getFromHelper(call)) === undefined) return false;
  const { code } = await runHelper(call, 'erase', call.server);
  if (code !== 0) throw failed(call, 'erase', code);
  return true;
}

interface Ended {
  /** null: ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
}

function runHelper(call: HelperCall, action: 'get' | 'store' | 'erase', input: string): Promise<Ended> {
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS, environment = process.env } = call;
  throwIfAborted(signal);
  if (!/^[A-Za-z0-9._-]+$/.test(call.name)) {
    throw new KlosetError(
      'CREDENTIALS_UNUSABLE',
      'the file names a credential helper that is no program name',
      {
        object: call.file,
      },
    );
  }
  return new Promise((resolve, reject) => {
    // A group of its own: helpers start programs (gcloud, gpg) that must not outlive a time limit.
    const child = spawn(programOf(call), [action], { stdio: 'pipe', detached: true, env: environment });
    let stdout = '';
    let over = false;
    const finish = (settle: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const giveUp = (error: KlosetError): void => {
      killGroup(child.pid);
      // A program that the helper left behind may hold the pipes open.
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      finish(() => reject(error));
    };
    const onAbort = () => giveUp(cancelled(signal?.reason));
    const timer = setTimeout(
      () => giveUp(unusable(call, `did not answer within ${timeoutMs / 1000} s`, advice(call, action))),
      timeoutMs,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    child.once('error', (error: NodeJS.ErrnoException) => finish(() => reject(notStarted(call, error))));
    child.once('close', (code) => finish(() => resolve({ code, stdout })));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.length > MAX_OUTPUT_BYTES) {
        giveUp(unusable(call, 'printed far more than credentials', advice(call, action)));
      }
    });
    // Read, so that the helper does not block on it, and not shown: it may hold what must not be seen.
    child.stderr.resume();
    // One that answers without reading closes its end early.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function parseAnswer(stdout: string): [username: string, secret: string] | undefined {
  try {
    const { Username, Secret } = JSON.parse(stdout) as Record<string, unknown>;
    return typeof Username === 'string' && typeof Secret === 'string' ? [Username, Secret] : undefined;
  } catch {
    return undefined;
  }
}

// The words of docker-credential-helpers; its clients compare them, too.
function isNotFound(stdout: string): boolean {
  return /credentials not found in native keychain/i.test(stdout);
}

function programOf({ name }: HelperCall): string {
  return `docker-credential-${name}`;
}

function failed(call: HelperCall, action: string, code: number | null): KlosetError {
  const how = code === null ? 'was ended by a signal' : `ended with status ${code}`;
  return unusable(call, `${how} on "${action}"`, advice(call, 'get'));
}

function notStarted(call: HelperCall, error: NodeJS.ErrnoException): KlosetError {
  if (error.code === 'ENOENT') {
    return unusable(call, 'is not on PATH', whereToGet(call.name));
  }
  return unusable(call, `cannot be started (${error.code ?? 'unknown error'})`, advice(call, 'get'));
}

// What a helper prints may be a secret even when it fails, so the user is shown the way to it, not the text.
function advice(call: HelperCall, action: string): string {
  return action === 'get'
    ? `To see what it says: echo ${call.server} | ${programOf(call)} get.`
    : `Try "${programOf(call)} list" by hand.`;
}

function unusable(call: HelperCall, what: string, remedy: string): KlosetError {
  return new KlosetError(
    'CREDENTIALS_UNUSABLE',
    `the credential helper ${programOf(call)}, which ${call.file} names for it, ${what}`,
    { object: call.server, remedy },
  );
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { END_STREAM, frame, PREFACE, REQUEST, request, settings, TYPE, u32 } from '../support/h2Frames.ts';
import { answerOf } from '../support/nodeHost.ts';
import { seededBytes } from '../support/seededBytes.ts';
import { TRANSPORTS } from './transports.ts';

const PLUGIN = fileURLToPath(new URL('./echoPlugin.ts', import.meta.url));

interface Started {
  readonly child: ChildProcess;
  readonly session: ClientHttp2Session;
  /** How it ended and what it said. */
  readonly exit: Promise<{ code: number | null; stderr: string }>;
}

describe.each(TRANSPORTS)('a plugin process on the %s transport', (name) => {
  let running: ChildProcess | undefined;

  afterEach(() => running?.kill('SIGKILL'));

  function start(): Started {
    const child = spawn(process.execPath, [PLUGIN, name], { stdio: ['pipe', 'pipe', 'pipe'] });
    running = child;
    const stderr = text(child.stderr);
    const exit = once(child, 'exit').then(async ([code]) => ({ code, stderr: await stderr }));
    child.stdin.on('error', () => undefined);
    const duplex = Duplex.from({ readable: child.stdout, writable: child.stdin });
    duplex.on('error', () => undefined);
    const session = connect('http://plugin', { createConnection: () => duplex });
    session.on('error', () => undefined);
    return { child, session, exit };
  }

  const call = (session: ClientHttp2Session, path: string) => {
    const stream = session.request({ ':method': 'POST', ':path': path }, { endStream: false });
    stream.on('error', () => undefined);
    return stream;
  };

  it('echoes through stdin and stdout, and ends by itself when stdin ends', async () => {
    const { child, session, exit } = start();
    const bytes = seededBytes(7, 3 * 1024 * 1024);
    const answers = await Promise.all([1, 2, 3].map(() => answerOf(call(session, '/echo').end(bytes))));
    for (const answer of answers) expect(answer.bytes.equals(bytes)).toBe(true);
    child.stdin?.end();
    expect(await exit).toEqual({ code: 0, stderr: '' });
  });

  it('ends when its host goes away in the middle of a frame', async () => {
    const { child, session, exit } = start();
    const stream = call(session, '/echo');
    stream.write('hello');
    await once(stream, 'data');
    // The head of a DATA frame of 16 KiB and a few of its bytes.
    child.stdin?.end(Buffer.of(0, 64, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3));
    expect(await exit).toEqual({ code: 0, stderr: '' });
  });

  it('ends when nobody reads its answers any more', async () => {
    const { child, session, exit } = start();
    const stream = call(session, '/flood').end();
    await once(stream, 'data');
    child.stdout?.destroy();
    expect(await exit).toEqual({ code: 0, stderr: '' });
  });

  it('ends when a host that has stopped reading leaves', async () => {
    const child = spawn(process.execPath, [PLUGIN, name], { stdio: ['pipe', 'pipe', 'pipe'] });
    running = child;
    const flood: Record<string, string> = { ...REQUEST, ':path': '/flood' };
    const open = frame(TYPE.WINDOW_UPDATE, 0, 0, u32(2 ** 30));
    child.stdin.write(Buffer.concat([PREFACE, settings([4, 2 ** 30]), open, request(1, END_STREAM, flood)]));
    // Reads once and then no more: the plugin's writes wait.
    await once(child.stdout, 'readable');
    child.stdin.end();
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('says what is wrong when stdin is no pipe', async () => {
    const child = spawn(process.execPath, [PLUGIN, name], { stdio: ['ignore', 'pipe', 'pipe'] });
    running = child;
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(stderr).toContain('[USAGE] the plugin needs pipes as its standard input and output.');
    expect(code).toBe(1);
  });
});

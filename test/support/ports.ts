/** TCP ports: finding a free one, and waiting until a program that cannot tell accepts connections. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A port that was free a moment ago, for programs that do not accept port 0. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  server.close();
  await once(server, 'close');
  return address.port;
}

/** Resolves when the port accepts; rejects at the deadline, or at once when `gone` settles (the program ended). */
export async function waitForPort(port: number, gone: Promise<unknown>, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let ended = false;
  gone.then(
    () => {
      ended = true;
    },
    () => {
      ended = true;
    },
  );
  while (!(await accepts(port))) {
    if (ended) throw new Error(`the program for port ${port} ended before it listened`);
    if (Date.now() > deadline) throw new Error(`nothing listens on port ${port} after ${timeoutMs} ms`);
    await delay(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

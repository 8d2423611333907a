/** A TCP server whose answers a test writes byte by byte. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface RawServer {
  readonly origin: string;
  /** Connections so far, and those that are open. */
  readonly accepted: number;
  readonly open: ReadonlySet<Socket>;
  /** What clients have sent so far, all connections in one row. */
  readonly heard: string;
  close(): Promise<void>;
}

/** @param answer called with each piece that arrives, and all that has arrived on its connection */
export async function rawServer(answer: (socket: Socket, heard: string) => void): Promise<RawServer> {
  const open = new Set<Socket>();
  let accepted = 0;
  let heard = '';
  const server = createServer((socket) => {
    accepted++;
    open.add(socket);
    let mine = '';
    socket.on('data', (bytes) => {
      mine += bytes.toString('latin1');
      heard += bytes.toString('latin1');
      answer(socket, mine);
    });
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get accepted() {
      return accepted;
    },
    open,
    get heard() {
      return heard;
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers each request of a connection once it is whole, where requests have no body. */
export function eachRequest(
  reply: (socket: Socket, ordinal: number) => void,
): (socket: Socket, heard: string) => void {
  const answered = new WeakMap<Socket, number>();
  return (socket, heard) => {
    const asked = heard.split('\r\n\r\n').length - 1;
    for (let at = answered.get(socket) ?? 0; at < asked; at++) {
      answered.set(socket, at + 1);
      reply(socket, at);
    }
  };
}

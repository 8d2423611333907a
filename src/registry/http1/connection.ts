import type { Socket } from 'node:net';
import type { Connector } from './connect.ts';
import { type AnswerExpected, type ArrivingAnswer, IncomingAnswer } from './incomingAnswer.ts';
import { type OrderBody, writeBody } from './writeBody.ts';

/**
 * Where bytes are read that have to be looked at before it is known where they belong. One for all connections: what was
 * read is used up before the next read of any of them. Small, since what comes behind a head is copied from here.
 */
const SCRATCH = Buffer.allocUnsafeSlow(16 * 1024);

/** What becomes of a connection. */
export interface ConnectionHooks {
  /** Its exchange is over and it may have another one. */
  onIdle(connection: Connection): void;
  onClosed(connection: Connection): void;
}

/** A request, as it goes over the wire. */
export interface Order extends AnswerExpected {
  /** Request line and headers, with the empty line. */
  readonly head: string;
  readonly body: OrderBody | undefined;
}

/** One connection, over which one request goes after the other. */
export class Connection {
  readonly #hooks: ConnectionHooks;
  #socket: Socket | undefined;
  #incoming: IncomingAnswer | undefined;
  #memory: Uint8Array = SCRATCH;
  #failure: unknown;
  #closed = false;
  #writing = false;
  #keepAliveMs: number | undefined;

  private constructor(hooks: ConnectionHooks) {
    this.#hooks = hooks;
  }

  static async open(connector: Connector, hooks: ConnectionHooks): Promise<Connection> {
    const connection = new Connection(hooks);
    const socket = await connector.connect({
      buffer: () => connection.#memory,
      callback: (bytes, memory) => connection.#received(memory, bytes),
    });
    connection.#socket = socket;
    socket.on('error', (error) => {
      connection.#failure ??= error;
    });
    socket.on('end', () => connection.#incoming?.ended());
    socket.on('close', () => connection.#ended());
    if (socket.destroyed) connection.#ended();
    return connection;
  }

  get isClosed(): boolean {
    return this.#closed || (this.#socket?.destroyed ?? false);
  }

  /** For how long the server keeps it open without a request, where it has said so, in milliseconds. */
  get keepAliveMs(): number | undefined {
    return this.#keepAliveMs;
  }

  /** Sends a request. The answer's body has to be read to its end, or destroyed. */
  send(order: Order): Promise<ArrivingAnswer> {
    const socket = this.#socket as Socket;
    const incoming = new IncomingAnswer(
      {
        onResume: () => socket.resume(),
        onDone: (beyond) => this.#done(incoming, beyond),
        onGivenUp: () => this.destroy(),
      },
      order,
    );
    this.#incoming = incoming;
    if (this.#closed) incoming.ended(this.#failure);
    else this.#write(socket, order, incoming);
    return incoming.answer;
  }

  #write(socket: Socket, { head, body }: Order, incoming: IncomingAnswer): void {
    socket.ref();
    if (!body) {
      socket.write(head, 'latin1');
      return;
    }
    // The head travels with the first bytes of the body.
    socket.cork();
    process.nextTick(() => socket.uncork());
    socket.write(head, 'latin1');
    this.#writing = true;
    writeBody(socket, body, () => this.#incoming !== incoming || this.#closed).then(
      () => {
        this.#writing = false;
      },
      (error) => {
        incoming.fail(error);
        this.destroy();
      },
    );
  }

  /** Keeps no process alive while nothing is asked of it. */
  rest(): void {
    this.#socket?.unref();
  }

  destroy(error?: Error): void {
    this.#socket?.destroy(error);
  }

  /** Returns false to stop the socket. */
  #received(memory: Uint8Array, length: number): boolean {
    const incoming = this.#incoming;
    // Nobody has asked for anything: what comes now would be taken for the next answer.
    if (!incoming) {
      this.destroy();
      return false;
    }
    try {
      const bytes = memory.subarray(0, length);
      if (memory === SCRATCH) incoming.received(bytes);
      else incoming.arrived(bytes);
      this.#memory = incoming.memory() ?? SCRATCH;
      return !incoming.paused;
    } catch (error) {
      incoming.fail(error);
      this.destroy();
      return false;
    }
  }

  #done(incoming: IncomingAnswer, beyond: number): void {
    this.#incoming = undefined;
    this.#memory = SCRATCH;
    this.#keepAliveMs = incoming.keepAliveMs;
    // An answer that came before its request was out has left the rest of it without a meaning.
    if (beyond > 0 || !incoming.keepAlive || this.#writing || this.#closed) this.destroy();
    else this.#hooks.onIdle(this);
  }

  #ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#incoming?.ended(this.#failure);
    this.#hooks.onClosed(this);
  }
}

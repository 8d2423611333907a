import { orAborted } from '../../flow/orAborted.ts';
import type { BegunAnswer, BodyPieces, HttpClient } from '../httpClient.ts';
import type { RegistryRequest } from '../transport.ts';
import { type ConnectOptions, Connector } from './connect.ts';
import { Connection, type Order } from './connection.ts';

/** How long a connection waits for its next request, in milliseconds; a server that says less is believed. */
const IDLE_MS = 30_000;
/** A request must not meet the server's own end of the connection. */
const MARGIN_MS = 1000;

/** Without a length, servers wait for a body of these. */
const HAS_BODY = new Set(['POST', 'PUT', 'PATCH']);
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

interface Turn {
  take(connection: Connection | undefined): void;
}

/**
 * Connections to one origin, spoken to in HTTP/1.1. A client for all purposes spends 1.5 s of processor time per GiB
 * that it receives, on copies and on memory for each piece; here bodies are read into the memory that they are wanted in,
 * and written from where they lie: docs/performance.md.
 */
export class Connections implements HttpClient {
  readonly #connector: Connector;
  readonly #most: number;
  readonly #idle: { readonly connection: Connection; readonly timer: NodeJS.Timeout }[] = [];
  readonly #open = new Set<Connection>();
  readonly #turns: Turn[] = [];
  #connecting = 0;
  #closed = false;

  /** @param most connections at once */
  constructor(origin: string, most: number, options: ConnectOptions) {
    this.#connector = new Connector(origin, options);
    this.#most = most;
  }

  async request(
    request: RegistryRequest,
    signal: AbortSignal,
    pieces: BodyPieces | undefined,
  ): Promise<BegunAnswer> {
    const { method, headers, place, body } = request;
    const order: Order = {
      head: headOf(request),
      method,
      place,
      ranged: headers?.range !== undefined,
      body: body && pieces && { bytes: body.bytes, pieces },
    };
    const connection = await this.#take(signal);
    const onAbort = () => connection.destroy(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      const { head, body } = await connection.send(order);
      signal.addEventListener('abort', () => body.abort(signal.reason), { once: true });
      return { status: head.status, headers: head.headers, body };
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#idle.splice(0)) clearTimeout(timer);
    for (const connection of this.#open) connection.destroy(closedError());
    for (const turn of this.#turns.splice(0)) turn.take(undefined);
  }

  async #take(signal: AbortSignal): Promise<Connection> {
    if (this.#closed) throw closedError();
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (!idle.connection.isClosed) return idle.connection;
    }
    if (this.#open.size + this.#connecting < this.#most) return this.#connect(signal);
    const connection = await this.#turn(signal);
    if (signal.aborted) {
      if (connection) this.#rest(connection);
      throw signal.reason;
    }
    return connection ?? this.#take(signal);
  }

  async #connect(signal: AbortSignal): Promise<Connection> {
    this.#connecting++;
    const opening = Connection.open(this.#connector, {
      onIdle: (connection) => this.#rest(connection),
      onClosed: (connection) => {
        this.#open.delete(connection);
        this.#turns.shift()?.take(undefined);
      },
    });
    let given = false;
    const opened = opening.then(
      (connection) => {
        this.#connecting--;
        if (!connection.isClosed) this.#open.add(connection);
        if (this.#closed) connection.destroy(closedError());
        // Whoever it was made for has left: the next one may have it.
        else if (signal.aborted && !given) this.#rest(connection);
        return connection;
      },
      (error) => {
        this.#connecting--;
        this.#turns.shift()?.take(undefined);
        throw error;
      },
    );
    const connection = await orAborted(opened, signal).catch((error) => {
      throw signal.aborted ? signal.reason : error;
    });
    given = true;
    return connection;
  }

  /** A connection that became free, or none where there is room for another one. */
  #turn(signal: AbortSignal): Promise<Connection | undefined> {
    return new Promise((resolve) => {
      const turn: Turn = {
        take: (connection) => {
          signal.removeEventListener('abort', onAbort);
          resolve(connection);
        },
      };
      const onAbort = () => {
        const at = this.#turns.indexOf(turn);
        if (at >= 0) this.#turns.splice(at, 1);
        resolve(undefined);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#turns.push(turn);
    });
  }

  #rest(connection: Connection): void {
    const turn = this.#turns.shift();
    const { keepAliveMs = Number.POSITIVE_INFINITY } = connection;
    const waitMs = Math.min(IDLE_MS, keepAliveMs - MARGIN_MS);
    if (turn) turn.take(connection);
    else if (this.#closed || waitMs <= 0) connection.destroy();
    else this.#keep(connection, waitMs);
  }

  #keep(connection: Connection, waitMs: number): void {
    connection.rest();
    const timer = setTimeout(() => {
      const at = this.#idle.findIndex((idle) => idle.connection === connection);
      if (at >= 0) this.#idle.splice(at, 1);
      connection.destroy();
    }, waitMs);
    timer.unref();
    this.#idle.push({ connection, timer });
  }
}

function headOf({ method, url, headers = {}, body }: RegistryRequest): string {
  const lines = [
    `${method} ${url.pathname}${url.search} HTTP/1.1`,
    `host: ${url.host}`,
    'connection: keep-alive',
  ];
  if (body || HAS_BODY.has(method)) lines.push(`content-length: ${body?.bytes ?? 0}`);
  for (const [name, value] of Object.entries(headers)) {
    // A value with a line break in it would be two headers, or two requests.
    if (!HEADER_VALUE.test(value)) throw new TypeError(`invalid header ${name}`);
    lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function closedError(): Error {
  return Object.assign(new Error('the connections were closed'), { code: 'ECONNABORTED' });
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Exchange, FaultAction, FaultControls, FaultPlan } from './faults.ts';
import type { RequestBody } from './requestBody.ts';

/** A fault plan with its counts of earlier exchanges. */
export class FaultRunner {
  readonly plan: FaultPlan;
  readonly #earlier = new Map<string, number>();

  readonly #end: (() => void) | undefined;

  constructor(plan: FaultPlan, controls: FaultControls) {
    this.plan = plan;
    this.#end = plan.start?.(controls);
  }

  /** The plan is in force no longer. */
  stop(): void {
    this.#end?.();
  }

  number(method: string, route: string): number {
    const key = `${method} ${route}`;
    const ordinal = this.#earlier.get(key) ?? 0;
    this.#earlier.set(key, ordinal + 1);
    return ordinal;
  }
}

/** What goes wrong in one exchange. */
export interface Trouble {
  readonly exchange: Exchange;
  readonly plan: FaultPlan;
  readonly action: FaultAction | undefined;
}

/** After how many request-body bytes the action strikes: 0 is at once, Infinity never. */
export function requestLimit(action: FaultAction | undefined): number {
  if (action?.kind !== 'reset' && action?.kind !== 'stall') return Number.POSITIVE_INFINITY;
  return action.afterRequestBytes ?? 0;
}

/** Plays a reset or a stall; nothing is answered. */
export async function breakOff(action: FaultAction, request: IncomingMessage): Promise<void> {
  action.afterwards?.();
  if (action.kind === 'stall') {
    request.pause();
    await closed(request.socket);
  } else {
    reset(request.socket);
  }
}

/** Sends the answer of the fault in place of the registry's. */
export async function respondInstead(
  action: FaultAction & { kind: 'respond' },
  body: RequestBody,
  response: ServerResponse,
): Promise<void> {
  const early = action.drain === false && !action.handled;
  if (!early && !action.handled && (await body.drain()) !== 'whole') return;
  const bytes = action.body === undefined ? Buffer.alloc(0) : Buffer.from(action.body);
  const headers: Record<string, string> = { 'Content-Length': String(bytes.length), ...action.headers };
  if (early) headers.Connection = 'close';
  if (action.status === 204) delete headers['Content-Length'];
  action.afterwards?.();
  response.writeHead(action.status, headers);
  response.end(bytes);
}

/** Closes the socket once what was written has left. */
export function cutOff(response: ServerResponse): void {
  response.flushHeaders();
  const { socket } = response;
  // The response holds its writes back until the next tick.
  setImmediate(() => socket?.destroySoon());
}

export function closed(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

function reset(socket: Socket): void {
  // A TLS socket cannot be reset; to its peer a closed one looks almost the same.
  if (socket instanceof TLSSocket || !(socket instanceof Socket)) socket.destroy();
  else socket.resetAndDestroy();
}

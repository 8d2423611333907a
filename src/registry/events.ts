import { channel } from 'node:diagnostics_channel';
import type { ErrorCode } from '../errors.ts';
import type { RequestKind, Transport } from './transport.ts';

/** An exchange with a registry, once its answer has begun, or once it has failed. */
export interface RequestEvent {
  /** Host and port. */
  readonly host: string;
  readonly kind: RequestKind;
  readonly method: string;
  /** The path without its query; the name of an upload session, which is as good as a key to it, is left out. */
  readonly path: string;
  /** Absent where there was no answer. */
  readonly status?: number;
  /** What it failed with before there was an answer. */
  readonly error?: ErrorCode;
  /** From the request to the head of its answer, in milliseconds. */
  readonly durationMs: number;
  /** Length of the request's body, in bytes. */
  readonly sentBytes: number;
}

/** The body of an answer, once it was read to its end or given up. */
export interface ReceivedEvent {
  readonly host: string;
  readonly kind: RequestKind;
  readonly receivedBytes: number;
}

/** A failure that is followed by another attempt. */
export interface RetryEvent {
  readonly host: string;
  readonly code: ErrorCode;
  readonly status?: number;
  /** What happened, in words. */
  readonly reason: string;
  readonly delayMs: number;
}

/** Time that a request spent before it was sent. */
export interface WaitEvent {
  readonly host: string;
  readonly kind: RequestKind;
  /** `retry-after`: the registry asked for it; `rate`: its cap; `window`: as many as it takes at once are under way. */
  readonly reason: string;
  readonly waitedMs: number;
}

/**
 * The channels of `node:diagnostics_channel` on which this package tells what it does. The types of their messages are
 * beside their names; nothing in a message is a secret.
 */
export const CHANNELS = {
  /** {@link RequestEvent} */
  request: named<RequestEvent>('kloset-oci:request'),
  /** {@link ReceivedEvent} */
  received: named<ReceivedEvent>('kloset-oci:received'),
  /** {@link RetryEvent} */
  retry: named<RetryEvent>('kloset-oci:retry'),
  /** {@link WaitEvent} */
  wait: named<WaitEvent>('kloset-oci:wait'),
} as const;

/** A channel whose messages are of one type. */
export interface EventChannel<Event> {
  /** What it is called in `node:diagnostics_channel`. */
  readonly name: string;
  readonly hasSubscribers: boolean;
  publish(event: Event): void;
  /** Returns a function that ends the subscription. */
  subscribe(listener: (event: Event) => void): () => void;
}

function named<Event>(name: string): EventChannel<Event> {
  const inner = channel(name);
  return {
    name,
    get hasSubscribers() {
      return inner.hasSubscribers;
    },
    publish: (event) => inner.publish(event),
    subscribe: (listener) => {
      const onMessage = (message: unknown) => listener(message as Event);
      inner.subscribe(onMessage);
      return () => void inner.unsubscribe(onMessage);
    },
  };
}

/** A transport that tells of its exchanges. Costs nothing where nobody listens. */
export function telling(next: Transport): Transport {
  return async (request) => {
    const { request: requests, received } = CHANNELS;
    if (!requests.hasSubscribers && !received.hasSubscribers) return next(request);
    const { kind, method, url } = request;
    const startedMs = performance.now();
    const told = {
      host: url.host,
      kind,
      method,
      path: pathOf(url, kind),
      sentBytes: request.body?.bytes ?? 0,
    };
    try {
      const answer = await next(request);
      requests.publish({ ...told, status: answer.status, durationMs: performance.now() - startedMs });
      return { ...answer, body: counted(answer.body, url.host, kind) };
    } catch (error) {
      const { code = 'INTERNAL' } = error as { code?: ErrorCode };
      requests.publish({ ...told, error: code, durationMs: performance.now() - startedMs });
      throw error;
    }
  };
}

type Body = Awaited<ReturnType<Transport>>['body'];

function counted(body: Body, host: string, kind: RequestKind): Body {
  let receivedBytes = 0;
  const tell = () => {
    if (receivedBytes > 0) CHANNELS.received.publish({ host, kind, receivedBytes });
    receivedBytes = 0;
  };
  async function* chunks() {
    try {
      for await (const chunk of body) {
        receivedBytes += chunk.length;
        yield chunk;
      }
    } finally {
      tell();
    }
  }
  const iterator = chunks();
  return Object.assign(iterator, {
    cancel: async () => {
      await body.cancel();
      await iterator.return(undefined);
      tell();
    },
  });
}

function pathOf(url: URL, kind: RequestKind): string {
  return kind.startsWith('upload-') ? url.pathname.replace(/(\/uploads\/).+$/, '$1…') : url.pathname;
}

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { isKlosetError } from '../errors.ts';
import { type Answer, empty, json } from './answers.ts';
import type { Context } from './context.ts';
import { parseFaults } from './faults/index.ts';
import { kindOf } from './faults/kinds.ts';
import type { CountedPlan } from './faults/specifiedPlan.ts';
import type { FaultPlan } from './faults.ts';
import { RequestBody } from './requestBody.ts';
import { parseTarget } from './router.ts';

/** What the control endpoint may look at and change. */
export interface ControlTarget {
  readonly context: Context;
  plan(): FaultPlan | undefined;
  setFaults(plan: FaultPlan | undefined): void;
}

const PREFIX = '/_kloset-oci/';
const MAX_BODY_BYTES = 1 << 20;

/** Requests by kind and status; `none` are those that got no answer. */
type Counts = Record<string, Record<string, number>>;

/**
 * A listener that answers {@link PREFIX} itself, and counts what it passes on. The registry's own paths begin with
 * `/v2/`, so that no repository can have this name.
 */
export function controlled(serve: RequestListener, target: ControlTarget): RequestListener {
  let counts: Counts = {};
  const routes: Record<string, Record<string, (request: IncomingMessage) => Answer | Promise<Answer>>> = {
    faults: {
      GET: () => json(200, describe(target.plan())),
      PUT: async (request) => {
        const plan = await readPlan(request);
        if (!('counts' in plan)) return json(400, plan);
        target.setFaults(plan);
        return json(200, describe(plan));
      },
      DELETE: () => {
        target.setFaults(undefined);
        return empty(204);
      },
    },
    requests: {
      GET: () => json(200, counts),
      DELETE: () => {
        counts = {};
        return empty(204);
      },
    },
    sessions: {
      GET: () => json(200, target.context.sessions.list()),
      DELETE: async () => {
        await target.context.sessions.forgetAll();
        return empty(204);
      },
    },
  };

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    // A page in a browser on this machine must not steer the registry.
    if (request.headers.origin !== undefined) return json(403, { error: 'not for web pages' });
    const path = (request.url ?? '').slice(PREFIX.length);
    const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (!methods) return json(404, { error: `there are ${Object.keys(routes).join(', ')}` });
    const method = request.method ?? 'GET';
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (!handler) return json(405, { error: `it takes ${Object.keys(methods).join(', ')}` });
    return handler(request);
  };

  return (request, response) => {
    if (request.url?.startsWith(PREFIX)) {
      answer(request).then(
        ({ status, headers, body }) => response.writeHead(status, headers).end(body),
        () => response.destroy(),
      );
      return;
    }
    response.once('close', () => count(counts, request, response));
    serve(request, response);
  };
}

function count(counts: Counts, request: IncomingMessage, response: ServerResponse): void {
  const { route, query } = parseTarget(request.url ?? '/');
  const kind = kindOf(request.method ?? 'GET', route, query);
  const status = response.headersSent ? String(response.statusCode) : 'none';
  const byStatus = counts[kind] ?? {};
  counts[kind] = byStatus;
  byStatus[status] = (byStatus[status] ?? 0) + 1;
}

function describe(plan: FaultPlan | undefined) {
  const counted = plan as Partial<CountedPlan> | undefined;
  return { seed: counted?.seed ?? null, faults: counted?.counts?.() ?? [] };
}

/** A plan from JSON, `{"faults": […], "seed": 7}`, or from text with one fault a line. */
async function readPlan(request: IncomingMessage): Promise<CountedPlan | { error: string }> {
  const bytes = await new RequestBody(request, Number.POSITIVE_INFINITY).collect(MAX_BODY_BYTES);
  if (typeof bytes === 'string') return { error: `the body is ${bytes}` };
  try {
    const text = bytes.toString('utf8').trim();
    if (!text.startsWith('{')) {
      const lines = text.split('\n').map((line) => line.trim());
      return parseFaults(lines.filter((line) => line !== ''));
    }
    const { faults, seed } = JSON.parse(text) as { faults?: unknown; seed?: unknown };
    if (!Array.isArray(faults) || !faults.every((spec) => typeof spec === 'string')) {
      return { error: 'faults has to be a list of texts' };
    }
    if (seed !== undefined && !Number.isSafeInteger(seed)) return { error: 'seed has to be a whole number' };
    return parseFaults(faults, seed === undefined ? {} : { seed: seed as number });
  } catch (error) {
    if (isKlosetError(error)) return { error: error.message };
    return { error: `the body is neither JSON nor a list of faults: ${String(error)}` };
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { failure } from './answers.ts';
import type { Call, Context, Target } from './context.ts';
import { breakOff, type FaultRunner, requestLimit, respondInstead, type Trouble } from './faultRunner.ts';
import { RequestBody } from './requestBody.ts';
import type { RequestLog } from './requestLog.ts';
import { parseTarget, route } from './router.ts';
import { send, sendTroubled } from './sender.ts';

/** Serves one request from its arrival to its answer, with the faults of the plan. */
export async function serveExchange(
  context: Context,
  log: RequestLog,
  faults: FaultRunner | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = targetOf(context, request.url ?? '/');
  const method = request.method ?? 'GET';
  const entry = log.add(method, target.route, target.path);
  const trouble = faults && troubleOf(faults, method, target, request);
  const action = trouble?.action;
  const limit = requestLimit(action);
  if (action && limit <= 0) return breakOff(action, request);
  const body = new RequestBody(request, limit);
  try {
    if (action?.kind === 'respond') {
      entry.status = action.status;
      return await respondInstead(action, body, response);
    }
    // Before a wait, since registries look at credentials when a request arrives.
    const refusal =
      target.route === 'token'
        ? undefined
        : context.guard?.check(method, target, request.headers, 'encrypted' in request.socket);
    if (action?.kind === 'hold') await action.until;
    const call: Call = {
      ...target,
      method,
      headers: request.headers,
      body,
      known: context.catalogue.get(target.repository),
    };
    if (refusal && refusal.challenges.length > 0) {
      response.setHeader('WWW-Authenticate', refusal.challenges);
    }
    const answer = refusal ? refusal.answer : await route(context, call);
    entry.requestBytes = body.received;
    if (action && body.limited) return await breakOff(action, request);
    if (answer === undefined) return;
    if (trouble) await sendTroubled(response, answer, entry, trouble);
    else await send(response, answer, entry);
  } catch (error) {
    if (response.headersSent || response.destroyed) return;
    const reason = error instanceof Error ? error.message : String(error);
    await send(response, failure(500, 'UNKNOWN', `the registry failed: ${reason}`), entry);
  } finally {
    entry.requestBytes = body.received;
  }
}

function targetOf(context: Context, url: string): Target {
  const target = parseTarget(url);
  return target.path === context.guard?.tokenPath ? { ...target, route: 'token' } : target;
}

function troubleOf(faults: FaultRunner, method: string, target: Target, request: IncomingMessage): Trouble {
  const { route: name, path, query, repository, reference } = target;
  const exchange = {
    method,
    route: name,
    path,
    query,
    headers: request.headers,
    ordinal: faults.number(method, name),
    ...(repository === '' ? {} : { repository }),
    ...(reference === '' ? {} : { reference }),
  };
  return { exchange, plan: faults.plan, action: faults.plan.before?.(exchange) };
}

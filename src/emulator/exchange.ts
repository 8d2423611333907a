import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { type Answer, failure } from './answers.ts';
import type { Call, Context, Target } from './context.ts';
import { breakOff, type FaultRunner, requestLimit, respondInstead, type Trouble } from './faultRunner.ts';
import { RequestBody } from './requestBody.ts';
import type { RequestLog } from './requestLog.ts';
import { parseTarget, route } from './router.ts';
import { closeBody, editedHead, send, sendTroubled } from './sender.ts';

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
  // Before a wait, since registries look at credentials when a request arrives.
  const refusal =
    target.route === 'token'
      ? undefined
      : context.guard?.check(method, target, request.headers, 'encrypted' in request.socket);
  let trouble = faults && troubleOf(faults, method, target, request);
  if (trouble?.action?.kind === 'hold') {
    await trouble.action.until;
    trouble = { ...trouble, action: trouble.action.next };
  }
  const action = trouble?.action;
  const limit = requestLimit(action);
  if (action && limit <= 0) return breakOff(action, request);
  const change = trouble?.plan.request?.(trouble.exchange);
  const body = new RequestBody(request, limit, change);
  try {
    if (action?.kind === 'respond' && !action.handled) {
      entry.status = action.status;
      return await respondInstead(action, body, response);
    }
    const call: Call = {
      ...target,
      method,
      headers: request.headers,
      body,
      known: context.catalogue.get(target.repository),
      ...(change?.headers && { headers: change.headers }),
      ...(change?.query && { query: change.query }),
    };
    if (refusal && refusal.challenges.length > 0) {
      response.setHeader('WWW-Authenticate', refusal.challenges);
    }
    const handle = action?.kind === 'handle-twice' ? handleTwice : route;
    const given = refusal ? refusal.answer : await handle(context, call);
    const { finish } = context.behaviour;
    const answer = given && finish ? finish(call, given) : given;
    entry.requestBytes = body.received;
    if (action && body.limited) return await breakOff(action, request);
    if (answer === undefined) return;
    if (trouble && action?.kind === 'respond') {
      editedHead(answer, trouble);
      closeBody(answer);
      entry.status = action.status;
      return await respondInstead(action, body, response);
    }
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

/** The longest body that is kept in order to be handled again. */
const TWICE_BYTES = 1 << 30;

async function handleTwice(context: Context, call: Call): Promise<Answer | undefined> {
  const bytes = await call.body.collect(TWICE_BYTES);
  if (typeof bytes === 'string') return undefined;
  const again = () => {
    const source = Object.assign(Readable.from(bytes.length > 0 ? [bytes] : []), {
      headers: call.headers,
      complete: true,
    });
    const known = context.catalogue.get(call.repository);
    return route(context, { ...call, known, body: new RequestBody(source, Number.POSITIVE_INFINITY) });
  };
  const first = await again();
  if (first) closeBody(first);
  return again();
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

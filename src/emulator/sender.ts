import type { ServerResponse } from 'node:http';
import type { Answer, AnswerHeaders } from './answers.ts';
import { limitedPieces, pacedPieces } from './faultPieces.ts';
import { closed, cutOff, type Trouble } from './faultRunner.ts';
import type { AnswerHead, FaultAction } from './faults.ts';
import type { LoggedRequest } from './requestLog.ts';
import type { BlobReader } from './storage.ts';

/** Puts an answer on the wire. */
export async function send(response: ServerResponse, answer: Answer, entry: LoggedRequest): Promise<void> {
  entry.status = answer.status;
  response.writeHead(answer.status, answer.headers);
  const { body } = answer;
  if (body === undefined || response.req.method === 'HEAD') {
    if (body !== undefined && !Buffer.isBuffer(body)) body.close(false);
    response.end();
  } else if (Buffer.isBuffer(body)) {
    entry.responseBytes = body.length;
    response.end(body);
  } else {
    await sendPieces(response, body, entry);
  }
}

/** The same through a fault plan: other head, other bytes, or only a part of them. */
export async function sendTroubled(
  response: ServerResponse,
  answer: Answer,
  entry: LoggedRequest,
  trouble: Trouble,
): Promise<void> {
  const { action, plan, exchange } = trouble;
  const edited = editedHead(answer, trouble);
  if (action?.kind === 'lose-response') {
    closeBody(answer);
    action.afterwards?.();
    if (action.silent && response.socket) await closed(response.socket);
    else response.socket?.destroy();
    return;
  }
  const { status, headers } = edited;
  const body = edited.body && edited.body !== answer.body ? Buffer.from(edited.body) : answer.body;
  if (Buffer.isBuffer(body) && body !== answer.body) headers['content-length'] = String(body.length);
  const limit = limitOf(action, headers);
  if (action?.kind === 'shorten-response' && body !== undefined) {
    headers['content-length'] = String(Math.min(limit, Number(headers['content-length'] ?? 0)));
  }
  const content = exchange.method === 'GET' && (exchange.route === 'blob' || exchange.route === 'manifest');
  const change = content && plan.body ? plan.body.bind(plan, exchange) : undefined;
  const pace = action?.kind === 'pace-response' ? action.bytesPerSecond : undefined;
  if (action?.kind === 'answer-twice') sendAgain(response, { status, headers, ...(body && { body }) });
  if (body === undefined || (limit === Number.POSITIVE_INFINITY && !change && pace === undefined)) {
    if (limit > 0) return send(response, body ? { status, headers, body } : { status, headers }, entry);
  }
  entry.status = status;
  response.writeHead(status, headers);
  const pieces = limitedPieces(body, limit, change);
  const wanted = pace === undefined ? pieces : pacedPieces(pieces, pace);
  const whole = await sendPieces(response, wanted, entry, action?.kind !== 'shorten-response');
  closeBody(answer);
  if (!whole || !pieces.limited() || action?.kind === 'shorten-response') return;
  action?.afterwards?.();
  if (action?.kind === 'cut-response') {
    cutOff(response);
  } else if (response.socket) {
    response.flushHeaders();
    await closed(response.socket);
  }
}

/** The head of an answer as the plan wants it. */
export function editedHead(answer: Answer, { plan, exchange }: Trouble): AnswerHead {
  // Lower case, as in requests: a plan that sets `range` must replace the registry's `Range`, not add to it.
  const lower = Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const given = Buffer.isBuffer(answer.body) ? { body: answer.body } : {};
  const head = { status: answer.status, headers: Object.fromEntries(lower), ...given };
  return plan.answer?.(exchange, head) ?? head;
}

function limitOf(action: FaultAction | undefined, headers: AnswerHeaders): number {
  switch (action?.kind) {
    case 'cut-response':
    case 'stall-response':
    case 'shorten-response': {
      const place = action.afterResponseBytes;
      if (typeof place === 'number') return place;
      return Math.floor(place.share * Number(headers['content-length'] ?? 0));
    }
    default:
      return Number.POSITIVE_INFINITY;
  }
}

/** Writes an answer past the response, behind the one that it sends. */
function sendAgain(response: ServerResponse, { status, headers, body }: Answer): void {
  if (body !== undefined && !Buffer.isBuffer(body)) return;
  const { socket } = response;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} Again\r\n${lines.join('')}\r\n`;
  response.once('finish', () => {
    socket?.write(
      Buffer.concat([
        Buffer.from(head),
        response.req.method === 'HEAD' ? Buffer.alloc(0) : (body ?? Buffer.alloc(0)),
      ]),
    );
  });
}

/**
 * Writes one piece while the next is read; false when it broke. Ends the response, with `staysOpen` only where no limit
 * was reached.
 */
async function sendPieces(
  response: ServerResponse,
  reader: BlobReader & { limited?(): boolean },
  entry: LoggedRequest,
  staysOpen = true,
): Promise<boolean> {
  let clean = false;
  try {
    let writing: Promise<boolean> | undefined;
    for (;;) {
      const next = reader.next();
      const piece = next instanceof Promise ? await next : next;
      if (writing && !(await writing)) return false;
      if (piece === undefined) break;
      entry.responseBytes += piece.length;
      writing = write(response, piece);
    }
    clean = true;
    if (!staysOpen || !reader.limited?.()) response.end();
    return true;
  } catch (error) {
    // The head has left: only a broken connection can still tell the client.
    response.destroy();
    throw error;
  } finally {
    reader.close(clean);
  }
}

/** Resolves when the piece has left; false when the connection is gone. */
function write(response: ServerResponse, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    if (response.destroyed || response.socket === null) return resolve(false);
    const gone = (): void => resolve(false);
    response.once('close', gone);
    response.write(piece, (error) => {
      response.off('close', gone);
      resolve(!error);
    });
  });
}

/** Closes the body of an answer that is not sent. */
export function closeBody(answer: Answer): void {
  if (answer.body !== undefined && !Buffer.isBuffer(answer.body)) answer.body.close(false);
}

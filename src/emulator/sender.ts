import type { ServerResponse } from 'node:http';
import type { Answer } from './answers.ts';
import { closed, cutOff, type Trouble } from './faultRunner.ts';
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
  if (action?.kind === 'lose-response') {
    closeBody(answer);
    response.socket?.destroy();
    return;
  }
  // Lower case, as in requests: a plan that sets `range` must replace the registry's `Range`, not add to it.
  const lower = Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const head = { status: answer.status, headers: Object.fromEntries(lower) };
  const { status, headers } = plan.answer?.(exchange, head) ?? head;
  const limit =
    action?.kind === 'cut-response' || action?.kind === 'stall-response'
      ? action.afterResponseBytes
      : Number.POSITIVE_INFINITY;
  const content = exchange.method === 'GET' && (exchange.route === 'blob' || exchange.route === 'manifest');
  const change = content && plan.body ? plan.body.bind(plan, exchange) : undefined;
  const { body } = answer;
  if (body === undefined || (limit === Number.POSITIVE_INFINITY && !change)) {
    if (limit > 0) return send(response, body ? { status, headers, body } : { status, headers }, entry);
  }
  entry.status = status;
  response.writeHead(status, headers);
  const pieces = limitedPieces(body, limit, change);
  const whole = await sendPieces(response, pieces, entry);
  closeBody(answer);
  if (!whole || !pieces.limited()) return;
  if (action?.kind === 'cut-response') {
    cutOff(response);
  } else if (response.socket) {
    response.flushHeaders();
    await closed(response.socket);
  }
}

/** Writes one piece while the next is read. Ends the response unless a limit was reached; false when it broke. */
async function sendPieces(
  response: ServerResponse,
  reader: BlobReader & { limited?(): boolean },
  entry: LoggedRequest,
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
    if (!reader.limited?.()) response.end();
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

function limitedPieces(
  body: Answer['body'],
  limit: number,
  change: ((chunk: Uint8Array) => Uint8Array) | undefined,
): BlobReader & { limited(): boolean } {
  let left = limit;
  let given = false;
  return {
    limited: () => left <= 0,
    async next() {
      if (left <= 0 || body === undefined) return undefined;
      let piece: Buffer | undefined;
      if (!Buffer.isBuffer(body)) piece = await body.next();
      else if (!given) piece = body;
      given = true;
      if (piece === undefined) return undefined;
      // The hook gets a copy: in memory the piece is the stored blob itself.
      const changed = change ? Buffer.from(change(Buffer.from(piece))) : piece;
      const part = changed.length > left ? changed.subarray(0, left) : changed;
      left -= part.length;
      return part;
    },
    close() {},
  };
}

function closeBody(answer: Answer): void {
  if (answer.body !== undefined && !Buffer.isBuffer(answer.body)) answer.body.close(false);
}

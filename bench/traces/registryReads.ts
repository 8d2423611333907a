/**
 * Reads of a registry as the Go connector makes them, seen by a proxy in front of it: a manifest by its tag, then
 * the blob with a range. The two together are one read of the host.
 */
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { type ObjectRef, refOfTag } from '../../src/store/objectNames.ts';
import type { TraceWriter } from '../../src/store/reads/traceWriter.ts';

export interface RegistryReads {
  /** The address for the client, `127.0.0.1:port`. */
  readonly address: string;
  /** Where reads are noted from now on; undefined: nowhere. */
  record(writer: TraceWriter | undefined): void;
  close(): Promise<void>;
}

export async function watchRegistryReads(upstream: string): Promise<RegistryReads> {
  const { hostname, port } = new URL(`http://${upstream}`);
  const agent = new Agent({ keepAlive: true });
  /** Which object a blob belongs to. */
  const owners = new Map<string, ObjectRef>();
  /** When the manifests that led to a blob were asked for, and the blob was not yet. */
  const asked = new Map<string, number[]>();
  let writer: TraceWriter | undefined;

  function manifest(ref: ObjectRef, startMs: number, body: string): void {
    const digest = (JSON.parse(body) as { layers?: { digest: string }[] }).layers?.[0]?.digest;
    if (digest === undefined) return;
    owners.set(digest, ref);
    const starts = asked.get(digest) ?? [];
    starts.push(startMs);
    asked.set(digest, starts);
  }

  function watch(incoming: IncomingMessage, answer: IncomingMessage, nowMs: number): void {
    const path = incoming.url?.split('?')[0] ?? '';
    const last = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
    if (path.includes('/manifests/')) {
      const ref = refOfTag(last);
      if (!ref) return;
      let body = '';
      answer.on('data', (chunk: Buffer) => {
        body += chunk;
      });
      answer.on('end', () => manifest(ref, nowMs, body));
    } else if (path.includes('/blobs/sha256:')) {
      const ref = owners.get(last);
      if (!ref) return;
      const startMs = asked.get(last)?.shift() ?? nowMs;
      const length = Number(answer.headers['content-length']);
      const [, offset, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers['content-range'] ?? '') ?? [];
      const to = writer;
      to?.object(ref, Number(total ?? length));
      answer.on('end', () => {
        to?.read({ ref, startMs, endMs: performance.now(), offset: Number(offset ?? 0), length });
      });
    }
  }

  function forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const nowMs = performance.now();
    const { method = 'GET', url = '/', headers } = incoming;
    const onward = send({ hostname, port, method, path: url, headers, agent }, (answer) => {
      if (method === 'GET' && (answer.statusCode === 200 || answer.statusCode === 206))
        watch(incoming, answer, nowMs);
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) onward.destroy();
    });
    incoming.pipe(onward);
  }

  const server = createServer({ noDelay: true }, forward);
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    address: `127.0.0.1:${address.port}`,
    record: (next) => {
      writer = next;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      agent.destroy();
      await once(server, 'close');
    },
  };
}

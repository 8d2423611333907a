/** A gRPC client of the storage protocol on node:http2, over the pipes of a plugin: the host, in small. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const PROTO = fileURLToPath(new URL('../../../src/plugin/store.proto', import.meta.url));

/** The messages of store.proto, by a library that has nothing to do with ours. */
export const storeProto = protobuf.loadSync(PROTO).lookup('store') as protobuf.Namespace;

export function encode(type: string, value: Record<string, unknown>): Uint8Array {
  return storeProto.lookupType(type).encode(storeProto.lookupType(type).fromObject(value)).finish();
}

export function decode(type: string, bytes: Uint8Array): Record<string, unknown> {
  const message = storeProto.lookupType(type);
  return message.toObject(message.decode(bytes), {
    longs: Number,
    bytes: Buffer,
    defaults: true,
    arrays: true,
  });
}

export function frame(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export interface Outcome {
  readonly status: number;
  readonly message: string;
  readonly messages: Buffer[];
}

export interface ClientCall {
  readonly stream: ClientHttp2Stream;
  readonly outcome: Promise<Outcome>;
}

export class GrpcClient {
  readonly session: ClientHttp2Session;

  constructor(fromPlugin: Readable, toPlugin: Writable) {
    const duplex = Duplex.from({ readable: fromPlugin, writable: toPlugin });
    this.session = connect('http://plugin', { createConnection: () => duplex });
    this.session.on('error', () => {});
  }

  /** Opens a call; the caller writes to its stream. */
  open(method: string): ClientCall {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': `/store.Store/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    return { stream, outcome: collect(stream) };
  }

  /** A call with one request message. */
  async call(method: string, request: Record<string, unknown> = {}): Promise<Outcome> {
    const { stream, outcome } = this.open(method);
    stream.end(frame(encode(`${method}Request`, request)));
    return outcome;
  }

  /** The same where it has to succeed; the answer's one message. */
  async ok(method: string, request: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const { status, message, messages } = await this.call(method, request);
    if (status !== 0) throw new Error(`${method}: ${status} ${message}`);
    return decode(`${method}Response`, messages[0] ?? Buffer.alloc(0));
  }

  /** Puts an object in messages as plakar sends them. */
  async put(mac: Uint8Array, type: number, content: Uint8Array, flags?: number): Promise<Outcome> {
    const { stream, outcome } = this.open('Put');
    stream.on('error', () => {});
    const send = (bytes: Uint8Array) =>
      new Promise<void>((resolve) => stream.write(frame(bytes), () => resolve()));
    await send(encode('PutRequest', { mac, type, ...(flags !== undefined && { flags }) }));
    for (let at = 0; at < content.length; at += 1 << 20) {
      await send(encode('PutRequest', { chunk: content.subarray(at, at + (1 << 20)) }));
    }
    stream.end();
    return outcome;
  }

  /** The bytes of a Get; fails where it fails. */
  async get(request: Record<string, unknown>): Promise<Buffer> {
    const { status, message, messages } = await this.call('Get', request);
    if (status !== 0) throw new Error(`Get: ${status} ${message}`);
    return Buffer.concat(messages.map((bytes) => decode('GetResponse', bytes).chunk as Buffer));
  }
}

function collect(stream: ClientHttp2Stream): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status: string | undefined;
    let message = '';
    const see = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] === undefined) return;
      status = String(headers['grpc-status']);
      message = decodeURIComponent(String(headers['grpc-message'] ?? ''));
    };
    stream.on('response', see);
    stream.on('trailers', see);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => {});
    stream.on('close', () => {
      if (status === undefined) {
        reject(new Error(`the call ended without a status (reset with ${stream.rstCode})`));
        return;
      }
      resolve({ status: Number(status), message, messages: unframe(Buffer.concat(chunks)) });
    });
  });
}

function unframe(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    messages.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return messages;
}

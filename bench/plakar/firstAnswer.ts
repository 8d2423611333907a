/** From the start of a plugin to its first answer, by a host that is nothing but a few bytes. */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const END_STREAM = 1;
const END_HEADERS = 4;

/** The executable that plakar unpacked into its home. */
export function pluginOf(home: string): string {
  const [found] = globSync(join(home, '.cache/plakar/plugins/*/oci_*/oci{-s,S}torage'));
  if (found === undefined) throw new Error(`no plugin in ${home}`);
  return found;
}

/** Milliseconds from the spawn to the end of the answer to Init. */
export function firstAnswerMs(executable: string, location: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = initRequest(location);
    const begun = performance.now();
    const child = spawn(executable, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    let answered: number | undefined;
    let bytes = Buffer.alloc(0);
    child.stdin.on('error', () => {});
    child.stdin.write(request);
    child.stdout.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let length = lengthOf(bytes); bytes.length >= length; length = lengthOf(bytes)) {
        const [type, flags, stream] = [bytes[3], bytes[4] ?? 0, bytes.readUInt32BE(5)];
        bytes = bytes.subarray(length);
        if (type === SETTINGS && flags === 0) child.stdin.write(frame(SETTINGS, 1, 0, []));
        if (stream === 1 && (flags & END_STREAM) !== 0) {
          answered ??= performance.now() - begun;
          child.stdin.end();
        }
      }
    });
    child.once('error', reject);
    child.once('close', () => {
      if (answered === undefined) reject(new Error(`${executable} ended without an answer`));
      else resolve(answered);
    });
  });
}

function lengthOf(bytes: Buffer): number {
  return bytes.length < 9 ? Number.POSITIVE_INFINITY : 9 + bytes.readUIntBE(0, 3);
}

/** The connection's preface and the call of Init, as RFC 9113 and the protocol buffers write them. */
function initRequest(location: string): Buffer {
  const entry = Buffer.concat([field(1, 'location'), field(2, location)]);
  const message = Buffer.concat([field(1, 'oci'), field(2, entry)]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  // :method POST, :scheme http, then :path and :authority with their names from the static table.
  const headers = [
    Buffer.from([0x83, 0x86, 0x04]),
    text('/store.Store/Init'),
    Buffer.from([0x01]),
    text('localhost'),
    ...literal('content-type', 'application/grpc'),
    ...literal('te', 'trailers'),
  ];
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(SETTINGS, 0, 0, []),
    frame(HEADERS, END_HEADERS, 1, headers),
    frame(DATA, END_STREAM, 1, [prefix, message]),
  ]);
}

function frame(type: number, flags: number, stream: number, parts: readonly Buffer[]): Buffer {
  const payload = Buffer.concat(parts);
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
const literal = (name: string, value: string) => [Buffer.from([0]), text(name), text(value)];
const field = (number: number, value: string | Buffer) =>
  Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), Buffer.from(value)]);

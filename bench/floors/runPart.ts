/** Runs one part over a GiB and prints the processor seconds that it took: `runPart.ts NAME FOLDER`. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSHA256 } from 'hash-wasm';
import { Pool } from 'undici';
import { Connections } from '../../src/registry/http1/connections.ts';
import { start } from '../../test/support/processes.ts';
import type { PartName } from './parts.ts';

const MIB = 1024 * 1024;
const BYTES = 1024 * MIB;
const OBJECT_BYTES = 32 * MIB;
const PIECE_BYTES = 256 * 1024;
const SLICE_BYTES = 512 * 1024;
const OTHER_END = fileURLToPath(new URL('./otherEnd.ts', import.meta.url));
const never = new AbortController().signal;

type Part = (folder: string) => Promise<{ work(): Promise<void> | void; end?(): Promise<void> }>;

const piece = Buffer.alloc(PIECE_BYTES, 7);

async function otherEnd() {
  const server = start(process.execPath, [OTHER_END, String(OBJECT_BYTES)]);
  const [, port = ''] = await server.waitForLine(/^listening (\d+)$/);
  return { port: Number(port), end: async () => void (await server.stop()) };
}

const PARTS: Record<PartName, Part> = {
  hashNative: async () => ({
    work: () => {
      const hash = createHash('sha256');
      for (let at = 0; at < BYTES; at += PIECE_BYTES) hash.update(piece);
      hash.digest();
    },
  }),
  hashWasm: async () => {
    const hash = await createSHA256();
    return {
      work: () => {
        hash.init();
        for (let at = 0; at < BYTES; at += PIECE_BYTES) hash.update(piece);
        hash.digest();
      },
    };
  },
  readFile: async (folder) => {
    const fd = openSync(join(folder, 'read'), 'w+');
    for (let at = 0; at < BYTES; at += PIECE_BYTES) writeSync(fd, piece, 0, PIECE_BYTES, at);
    return {
      work: () => {
        for (let at = 0; at < BYTES; at += PIECE_BYTES) readSync(fd, piece, 0, PIECE_BYTES, at);
      },
      end: async () => closeSync(fd),
    };
  },
  writeFile: async (folder) => {
    const fd = openSync(join(folder, 'written'), 'w');
    return {
      work: () => {
        for (let at = 0; at < BYTES; at += PIECE_BYTES) writeSync(fd, piece, 0, PIECE_BYTES, at);
      },
      end: async () => closeSync(fd),
    };
  },
  socketOut: async () => {
    const { port, end } = await otherEnd();
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    const slice = Buffer.alloc(SLICE_BYTES, 7);
    return {
      work: async () => {
        socket.write(`PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: ${BYTES}\r\n\r\n`);
        for (let at = 0; at < BYTES; at += SLICE_BYTES)
          await new Promise<void>((resolve) => socket.write(slice, () => resolve()));
        await once(socket, 'data');
        socket.destroy();
      },
      end,
    };
  },
  socketIn: async () => {
    const { port, end } = await otherEnd();
    const memory = Buffer.allocUnsafeSlow(MIB);
    const objects = BYTES / OBJECT_BYTES;
    let got = 0;
    let done = () => {};
    const socket = connect({
      ...{ port, host: '127.0.0.1' },
      onread: {
        buffer: memory,
        callback: (bytes) => {
          got += bytes;
          if (got >= BYTES) done();
          return true;
        },
      },
    });
    await once(socket, 'connect');
    return {
      work: async () => {
        const all = new Promise<void>((resolve) => {
          done = resolve;
        });
        socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(objects));
        await all;
        socket.destroy();
      },
      end,
    };
  },
  ownClientIn: async () => {
    const { port, end } = await otherEnd();
    const connections = new Connections(`http://127.0.0.1:${port}`, 1, {
      connectTimeoutMs: 5000,
      tls: undefined,
    });
    const memory = Buffer.allocUnsafeSlow(MIB);
    const url = new URL(`http://127.0.0.1:${port}/`);
    const place = (at: number) => memory.subarray(at % MIB);
    return {
      work: async () => {
        for (let at = 0; at < BYTES; at += OBJECT_BYTES) {
          const request = { kind: 'blob-read', method: 'GET', url, place } as const;
          const { body } = await connections.request(request, never, undefined);
          for await (const _ of body);
        }
      },
      end: async () => {
        await connections.close();
        await end();
      },
    };
  },
  undiciIn: async () => {
    const { port, end } = await otherEnd();
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1 });
    return {
      work: async () => {
        for (let at = 0; at < BYTES; at += OBJECT_BYTES) {
          const { body } = await pool.request({ path: '/', method: 'GET' });
          for await (const _ of body);
        }
      },
      end: async () => {
        await pool.destroy();
        await end();
      },
    };
  },
};

const [, , name, folder = '.'] = process.argv;
const part = await PARTS[name as PartName](folder);
const before = process.cpuUsage();
await part.work();
const { user, system } = process.cpuUsage(before);
await part.end?.();
console.log(((user + system) / 1e6).toFixed(3));
process.exit(0);

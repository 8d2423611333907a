/**
 * A `store.Store` without a store, to measure a transport alone: Puts are copied into a slab and forgotten, Gets are
 * answered from memory. `node bench/plugin/nullService.ts own|node`, with pipes as stdin and stdout.
 */
import { serveHost } from '../../src/plugin/http2/server.ts';
import { serveHostOnNode } from '../../src/plugin/nodeTransport.ts';
import { type Call, GRPC_STATUS } from '../../src/plugin/transport.ts';
import { answerOf, chunkMessage, PutBytes, rangeOf } from './nullMessages.ts';

const CHUNK_BYTES = 1024 * 1024;
const SLAB_BYTES = 4 * 1024 * 1024;
const CONTENT = Buffer.alloc(CHUNK_BYTES, 0x5a);
const EMPTY_ANSWER = answerOf(Buffer.alloc(0));

const serve = process.argv[2] === 'node' ? serveHostOnNode : serveHost;
const slab = Buffer.alloc(SLAB_BYTES);
let slabAt = 0;

function keep(bytes: Uint8Array): void {
  if (slabAt + bytes.length > SLAB_BYTES) slabAt = 0;
  slab.set(bytes, slabAt);
  slabAt += bytes.length;
}

function put(call: Call): void {
  const written = new PutBytes(keep);
  call.receive({
    data: (bytes) => {
      written.push(bytes);
      call.credit(bytes.length);
    },
    end: () => {
      call.write([answerOf(written.answer())]);
      call.end(GRPC_STATUS.OK);
    },
  });
}

async function sendContent(call: Call, length: number): Promise<void> {
  for (let left = length; left > 0 && !call.signal.aborted; left -= CHUNK_BYTES) {
    const chunk = CONTENT.subarray(0, Math.min(left, CHUNK_BYTES));
    const room = call.write([chunkMessage(chunk.length), chunk]);
    if (room) await room;
  }
  call.end(GRPC_STATUS.OK);
}

function whole(call: Call, answer: (request: Buffer) => void): void {
  const parts: Buffer[] = [];
  call.receive({
    data: (bytes) => {
      parts.push(Buffer.from(bytes));
      call.credit(bytes.length);
    },
    end: () => answer(Buffer.concat(parts)),
  });
}

serve({ inputFd: 0, outputFd: 1 }, (call) => {
  if (call.path === '/store.Store/Put') {
    put(call);
  } else if (call.path === '/store.Store/Get') {
    whole(call, (request) => void sendContent(call, rangeOf(request)));
  } else {
    whole(call, () => {
      call.write([EMPTY_ANSWER]);
      call.end(GRPC_STATUS.OK);
    });
  }
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { H2_ERROR } from '../../../src/plugin/http2/protocol.ts';
import { serveHost } from '../../../src/plugin/http2/server.ts';
import { type CallHandler, GRPC_STATUS } from '../../../src/plugin/transport.ts';
import {
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  literals,
  PREFACE,
  REQUEST,
  request,
  settings,
  TYPE,
  u32,
} from '../../support/h2Frames.ts';
import { RawHost } from '../../support/rawHost.ts';
import { ConnectionRig } from './connectionRig.ts';

/** Echoes, so that a conversation has answers. */
const echo: CallHandler = (call) => {
  call.receive({
    data(bytes) {
      call.write([Buffer.from(bytes)]);
      call.credit(bytes.length);
    },
    end: () => call.end(GRPC_STATUS.OK),
  });
};

const stream = fc.constantFrom(0, 1, 1, 1, 3, 3, 5, 2, 9, 0x7fff_ffff);
const bytes = fc.uint8Array({ maxLength: 60 });
const flags = fc.constantFrom(0, 1, 4, 5, 8, 0x20, 0x2d, 0xff);
const block = literals(REQUEST);

const goodFrame = fc.oneof(
  fc.tuple(stream, flags).map(([id, flag]) => request(id, flag & END_STREAM)),
  fc.tuple(stream, bytes, flags).map(([id, payload, flag]) => data(id, payload, flag & END_STREAM)),
  fc.tuple(stream, fc.nat(70_000)).map(([id, more]) => frame(TYPE.WINDOW_UPDATE, 0, id, u32(more))),
  fc.tuple(fc.integer({ min: 0, max: 9 }), fc.nat(100_000)).map(([id, value]) => settings([id, value])),
  stream.map((id) => frame(TYPE.RST_STREAM, 0, id, u32(8))),
  fc.constant(frame(TYPE.PING, 0, 0, u32(7, 7))),
  fc.constant(frame(TYPE.GOAWAY, 0, 0, u32(0, 0))),
);
const wildFrame = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 12 }), flags, stream, bytes).map((parts) => frame(...parts)),
  fc
    .tuple(flags, stream, bytes)
    .map(([flag, id, more]) => frame(TYPE.HEADERS, END_HEADERS | flag, id, Buffer.concat([block, more]))),
  fc
    .tuple(fc.constantFrom(TYPE.HEADERS, TYPE.CONTINUATION), flags, stream)
    .map(([type, flag, id]) => frame(type, flag, id, block.subarray(0, 20))),
);
const mostlyGood = fc.array(
  fc.oneof({ weight: 5, arbitrary: goodFrame }, { weight: 1, arbitrary: wildFrame }),
  {
    maxLength: 25,
  },
);

/** What comes of pieces that arrive in one turn. */
async function outcome(pieces: readonly Uint8Array[]) {
  const host = new ConnectionRig(echo, [[4, 1000]]);
  await host.turn();
  for (const piece of pieces) host.send(piece);
  await host.quiet();
  return host;
}

function checkFault(host: ConnectionRig): void {
  const goAways = host.frames.filter((one) => one.type === TYPE.GOAWAY);
  expect(host.faults.length).toBeLessThanOrEqual(1);
  expect(goAways.map((one) => one.payload.readUInt32BE(4))).toEqual(host.faults.map((fault) => fault.code));
  expect(host.faults.map((fault) => fault.code)).not.toContain(H2_ERROR.INTERNAL_ERROR);
}

describe('a host that sends nonsense', () => {
  it('gets GOAWAY with a code of the rules, or goes on being served', async () => {
    await fc.assert(
      fc.asyncProperty(mostlyGood, async (frames) => {
        const host = await outcome(frames);
        checkFault(host);
        host.send(frame(TYPE.PING, 0, 0, u32(0xcafe, 0xf00d)));
        await host.quiet();
        const answered = host.frames.some(
          (one) => one.type === TYPE.PING && one.payload.equals(u32(0xcafe, 0xf00d)),
        );
        // A PING inside of a header block is a fault of its own.
        expect(answered).toBe(host.faults.length === 0);
        checkFault(host);
      }),
      { numRuns: 500 },
    );
  });

  it('gets the same answer however its bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(mostlyGood, fc.array(fc.nat(), { maxLength: 20 }), async (frames, cuts) => {
        const all = Buffer.concat(frames);
        const borders = [0, ...cuts.map((cut) => cut % (all.length + 1)), all.length].sort((a, b) => a - b);
        const pieces = borders.slice(1).map((end, index) => all.subarray(borders[index], end));
        const [whole, cut] = [await outcome([all]), await outcome(pieces)];
        expect(cut.faults.map((fault) => fault.message)).toEqual(whole.faults.map((fault) => fault.message));
        const told = (host: ConnectionRig) =>
          host.frames
            .filter((one) => one.type !== TYPE.DATA)
            .map((one) => [one.type, one.flags, one.streamId]);
        expect(told(cut)).toEqual(told(whole));
        expect(cut.dataBytes()).toBe(whole.dataBytes());
      }),
      { numRuns: 300 },
    );
  });

  it('never brings the plugin down with changed bytes', async () => {
    const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(mostlyGood, fc.array(change, { maxLength: 6 }), async (frames, changes) => {
        const all = Buffer.concat(frames);
        if (all.length > 0) for (const { at, to } of changes) all[at % all.length] = to;
        checkFault(await outcome([all]));
      }),
      { numRuns: 500 },
    );
  });

  it('is let go when it leaves in the middle of anything', async () => {
    await fc.assert(
      fc.asyncProperty(mostlyGood, fc.nat(), async (frames, cut) => {
        const all = Buffer.concat([PREFACE, settings(), ...frames]);
        const host = new RawHost();
        const connection = serveHost(host.pipes.plugin, echo);
        host.send(all.subarray(0, cut % (all.length + 1)));
        host.leave();
        await connection.closed;
      }),
      { numRuns: 30 },
    );
  });
});

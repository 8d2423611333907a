import { describe, expect, it } from 'vitest';
import {
  type Call,
  type CallHandler,
  GRPC_STATUS,
  INITIAL_WINDOW_BYTES,
} from '../../src/plugin/transport.ts';
import { answerOf, type NodeHost, nodeHost } from '../support/nodeHost.ts';
import { TRANSPORTS } from './transports.ts';

const MIB = 1024 * 1024;

interface Intake {
  readonly call: Call;
  bytes: number;
  ended: boolean;
}

/** Counts what arrives in each call and credits nothing. */
function intakes() {
  const all: Intake[] = [];
  let wake: () => void = () => undefined;
  const onCall: CallHandler = (call) => {
    const intake: Intake = { call, bytes: 0, ended: false };
    all.push(intake);
    call.receive({
      data(bytes) {
        intake.bytes += bytes.length;
        wake();
      },
      end() {
        intake.ended = true;
        wake();
      },
    });
  };
  const until = async (fits: () => boolean) => {
    while (!fits()) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { all, onCall, until };
}

/** Everything that windows allowed before has arrived when a PING comes back. */
const ping = (host: NodeHost) => new Promise<void>((resolve) => host.session.ping(() => resolve()));

describe.each(TRANSPORTS)('back-pressure of the %s transport', (_name, serve) => {
  it('holds a host without credit at the window, and lets it on by exactly what is credited', async () => {
    const { all, onCall, until } = intakes();
    const host = nodeHost(serve, onCall);
    const stream = host.call('/store.Store/Put');
    const total = 4 * MIB;
    stream.end(Buffer.alloc(total));
    await until(() => all[0]?.bytes === INITIAL_WINDOW_BYTES);
    const [intake] = all as [Intake];
    for (let round = 0; round < 5; round++) await ping(host);
    expect(intake.bytes).toBe(INITIAL_WINDOW_BYTES);

    let credited = 0;
    for (const credit of [1, 100_000, 65_536, MIB]) {
      credited += credit;
      intake.call.credit(credit);
      await until(() => intake.bytes === INITIAL_WINDOW_BYTES + credited);
      await ping(host);
      expect(intake.bytes).toBe(INITIAL_WINDOW_BYTES + credited);
      expect(intake.ended).toBe(false);
    }
    intake.call.credit(total);
    await until(() => intake.ended);
    expect(intake.bytes).toBe(total);
    intake.call.end(GRPC_STATUS.OK);
    expect((await answerOf(stream)).headers).toMatchObject({ 'grpc-status': '0' });
    await host.leave();
  });

  it('holds calls alone: others are served, however many are held', async () => {
    const { all, onCall, until } = intakes();
    const host = nodeHost(serve, onCall);
    // More than the window of the connection.
    const held = 80;
    const chunk = Buffer.alloc(2 * MIB);
    for (let index = 0; index < held; index++) host.call('/held').write(chunk);
    await until(() => all.length === held && all.every(({ bytes }) => bytes === INITIAL_WINDOW_BYTES));
    const stream = host.call('/served');
    stream.end(Buffer.alloc(8 * MIB));
    await until(() => all.length > held);
    const served = all[held] as Intake;
    for (let credited = 0; !served.ended; ) {
      await until(() => served.ended || served.bytes > credited);
      served.call.credit(served.bytes - credited);
      credited = served.bytes;
    }
    expect(served.bytes).toBe(8 * MIB);
    expect(all.slice(0, held).every(({ bytes }) => bytes === INITIAL_WINDOW_BYTES)).toBe(true);
    served.call.end(GRPC_STATUS.OK);
    expect((await answerOf(stream)).headers).toMatchObject({ 'grpc-status': '0' });
    await host.leave();
  });

  it('holds a writer whose host does not read', async () => {
    const { all, onCall, until } = intakes();
    const host = nodeHost(serve, onCall);
    const stream = host.call('/store.Store/Get').end();
    await until(() => all[0]?.ended === true);
    const [{ call }] = all as [Intake];
    const chunk = Buffer.alloc(256 * 1024);
    let written = 0;
    let room: Promise<void> | undefined;
    while (written < 64 * MIB && room === undefined) {
      room = call.write([chunk]);
      written += chunk.length;
    }
    expect(room).toBeInstanceOf(Promise);
    expect(written).toBeLessThanOrEqual(3 * MIB);
    const answer = answerOf(stream);
    await room;
    call.end(GRPC_STATUS.OK);
    expect((await answer).bytes.length).toBe(written);
    await host.leave();
  });
});

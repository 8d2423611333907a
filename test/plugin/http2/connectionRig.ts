/** A connection without pipes: bytes go in, batches come out when the test lets them. */
import { Connection } from '../../../src/plugin/http2/connection.ts';
import type { ConnectionFault } from '../../../src/plugin/http2/protocol.ts';
import type { CallHandler } from '../../../src/plugin/transport.ts';
import { ACK, frame, PREFACE, type RawFrame, settings, TYPE, takeFrames } from '../../support/h2Frames.ts';

export class ConnectionRig {
  readonly connection: Connection;
  /** Every write, as the pieces of its writev. */
  readonly batches: (readonly Uint8Array[])[] = [];
  readonly frames: RawFrame[] = [];
  readonly faults: ConnectionFault[] = [];
  drained = 0;
  nowMs = 0;
  /** The host reads: writes end at once. */
  reading = true;
  #rest = Buffer.alloc(0);
  #pending: (() => void) | undefined;

  constructor(onCall: CallHandler, hostSettings: [number, number][] = []) {
    this.connection = new Connection(
      { write: (pieces, done) => this.#write(pieces, done) },
      onCall,
      { failed: (fault) => this.faults.push(fault), drained: () => this.drained++ },
      () => this.nowMs,
    );
    this.send(PREFACE, settings(...hostSettings), frame(TYPE.SETTINGS, ACK, 0));
  }

  send(...pieces: Uint8Array[]): this {
    this.connection.receive(Buffer.concat(pieces));
    return this;
  }

  /** The host reads again. */
  read(): void {
    this.reading = true;
    const done = this.#pending;
    this.#pending = undefined;
    done?.();
  }

  /** Lets the turn of the event loop end, and with it the flush. */
  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Turns until nothing more comes. */
  async quiet(): Promise<void> {
    for (let before = -1; before !== this.batches.length; ) {
      before = this.batches.length;
      await this.turn();
      await this.turn();
    }
  }

  data(streamId?: number): RawFrame[] {
    return this.frames.filter((one) => one.type === TYPE.DATA && one.streamId === (streamId ?? one.streamId));
  }

  dataBytes(streamId?: number): number {
    return this.data(streamId).reduce((sum, one) => sum + one.payload.length, 0);
  }

  #write(pieces: readonly Uint8Array[], done: () => void): void {
    this.batches.push(pieces);
    const { frames, rest } = takeFrames(Buffer.concat([this.#rest, ...pieces]));
    this.#rest = Buffer.from(rest);
    this.frames.push(...frames);
    if (this.reading) setImmediate(done);
    else this.#pending = done;
  }
}

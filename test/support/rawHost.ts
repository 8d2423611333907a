/** A host that says exactly what a test wants, over real pipes, and notes every frame of the answer. */
import { PipeDuplex } from '../../src/plugin/pipeDuplex.ts';
import { ACK, frame, PREFACE, type RawFrame, settings, TYPE, takeFrames } from './h2Frames.ts';
import { hostPipes, type PipePair } from './hostPipes.ts';

const PATIENCE_MS = 10_000;

export class RawHost {
  readonly pipes: PipePair;
  /** All frames so far. */
  readonly frames: RawFrame[] = [];
  readonly #duplex: PipeDuplex;
  readonly #watchers = new Set<() => void>();
  #rest = Buffer.alloc(0);
  #pings = 0;
  #ended = false;

  constructor() {
    this.pipes = hostPipes();
    this.#duplex = new PipeDuplex(this.pipes.host);
    this.#duplex.on('error', () => undefined);
    this.#duplex.on('data', (bytes: Buffer) => {
      const { frames, rest } = takeFrames(Buffer.concat([this.#rest, bytes]));
      this.#rest = Buffer.from(rest);
      this.frames.push(...frames);
      this.#wake();
    });
    this.#duplex.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Preface and empty settings, as every host begins. */
  greet(...pairs: [number, number][]): this {
    return this.send(PREFACE, settings(...pairs), frame(TYPE.SETTINGS, ACK, 0));
  }

  send(...pieces: Uint8Array[]): this {
    if (!this.#duplex.destroyed) this.#duplex.write(Buffer.concat(pieces));
    return this;
  }

  /** Closes both pipes. */
  leave(): void {
    this.#duplex.destroy();
  }

  /** The first frame, past or future, that fits. */
  async frame(fits: (frame: RawFrame) => boolean, what: string): Promise<RawFrame> {
    return this.#until(() => this.frames.find(fits), what);
  }

  ofType(type: number, streamId: number): Promise<RawFrame> {
    const fits = (one: RawFrame) => one.type === type && one.streamId === streamId;
    return this.frame(fits, `type ${type} on stream ${streamId}`);
  }

  /** All frames that answer what was sent before: a PING's answer comes behind them. */
  async settle(): Promise<RawFrame[]> {
    const opaque = Buffer.alloc(8);
    opaque.writeUInt32BE(++this.#pings);
    this.send(frame(TYPE.PING, 0, 0, opaque));
    const isAnswer = (one: RawFrame) => one.type === TYPE.PING && one.payload.equals(opaque);
    await this.frame(isAnswer, 'the answer to a PING');
    return this.frames.filter((one) => one.type !== TYPE.PING);
  }

  /** The code of GOAWAY; undefined when the plugin closed without one. */
  async goAway(): Promise<number | undefined> {
    const found = await this.#until(
      () => this.frames.find((one) => one.type === TYPE.GOAWAY) ?? (this.#ended ? 'closed' : undefined),
      'GOAWAY',
    );
    return found === 'closed' ? undefined : found.payload.readUInt32BE(4);
  }

  async closed(): Promise<void> {
    await this.#until(() => (this.#ended ? true : undefined), 'the end of the connection');
  }

  /** Resolves with what `look` finds, as soon as frames that arrive let it find something. */
  #until<T>(look: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
      };
      const watch = () => {
        const found = look();
        if (found !== undefined) {
          finish();
          resolve(found);
        } else if (this.#ended) {
          finish();
          reject(new Error(`the connection ended without ${what}: ${this.#seen()}`));
        }
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`no ${what} in ${PATIENCE_MS} ms: ${this.#seen()}`));
      }, PATIENCE_MS);
      this.#watchers.add(watch);
      watch();
    });
  }

  #seen(): string {
    const seen = this.frames.map(({ type, streamId, payload }) => `${type}/${streamId}/${payload.length}`);
    return `frames ${seen.join(' ')}`;
  }

  #wake(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}

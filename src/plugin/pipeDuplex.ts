import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { openPipe } from './openPipe.ts';
import type { HostPipes } from './transport.ts';

type Done = (error?: Error | null) => void;

/** Two pipes as one stream, for `node:http2`, which wants a connection. */
export class PipeDuplex extends Duplex {
  readonly #input: Socket;
  readonly #output: Socket;

  constructor(pipes: HostPipes) {
    super({ allowHalfOpen: false });
    this.#input = openPipe({ fd: pipes.inputFd, readable: true, writable: false });
    this.#output = openPipe({ fd: pipes.outputFd, readable: false, writable: true });
    this.#input
      .on('data', (chunk) => {
        if (!this.push(chunk)) this.#input.pause();
      })
      .on('end', () => this.push(null))
      .on('error', (error) => this.destroy(error));
    this.#output.on('error', (error) => this.destroy(error)).on('close', () => this.destroy());
  }

  override _read(): void {
    this.#input.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#output.write(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.#output.cork();
    chunks.forEach(({ chunk }, index) => {
      if (index < chunks.length - 1) this.#output.write(chunk);
      else this.#output.write(chunk, done);
    });
    this.#output.uncork();
  }

  override _final(done: Done): void {
    this.#output.end(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#input.destroy();
    this.#output.destroy();
    done(error);
  }
}

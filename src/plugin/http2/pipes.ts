import type { Socket } from 'node:net';
import { openPipe } from '../openPipe.ts';
import type { BatchWriter } from './output.ts';

/** What a pipe takes at once; larger reads are not faster. */
const READ_BUFFER_BYTES = 64 * 1024;

/** The host's end of the line, heard through one buffer that is used for every read. */
export class InputPipe {
  readonly #socket: Socket;

  /**
   * @param onBytes gets a view that is valid during the call only
   * @param onEnd is called once, when the host is gone or the pipe is broken
   */
  constructor(fd: number, onBytes: (bytes: Buffer) => void, onEnd: () => void) {
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      onEnd();
    };
    const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    this.#socket = openPipe({
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer,
        callback: (bytesRead) => {
          onBytes(buffer.subarray(0, bytesRead));
          return true;
        },
      },
    });
    this.#socket.on('end', end).on('error', end).on('close', end);
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The line to the host. A host that is gone is not an error here: its input says so as well. */
export class OutputPipe implements BatchWriter {
  readonly #socket: Socket;

  constructor(fd: number, onGone: () => void) {
    this.#socket = openPipe({ fd, readable: false, writable: true });
    this.#socket.on('error', onGone);
  }

  write(pieces: readonly Uint8Array[], done: () => void): void {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    const last = pieces.length - 1;
    const written = (error?: Error | null) => {
      if (!error) done();
    };
    if (last > 0) socket.cork();
    pieces.forEach((piece, index) => {
      if (index < last) socket.write(piece);
      else socket.write(piece, written);
    });
    if (last > 0) socket.uncork();
  }

  close(): void {
    this.#socket.destroy();
  }
}

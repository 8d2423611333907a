import { KlosetError } from '../../errors.ts';
import type { CallHandler, HostConnection, HostPipes, ServeHost } from '../transport.ts';
import { Connection } from './connection.ts';
import { InputPipe, OutputPipe } from './pipes.ts';
import type { ConnectionFault } from './protocol.ts';

/** How long the last frames may take to leave when the connection ends. A host that lives takes them at once. */
const FLUSH_MS = 1000;

/** The minimal HTTP/2 server for the one peer behind two pipes. */
export const serveHost: ServeHost = (pipes, onCall) => new PipeConnection(pipes, onCall);

class PipeConnection implements HostConnection {
  readonly closed: Promise<KlosetError | undefined>;
  readonly #resolveClosed: (reason: KlosetError | undefined) => void;
  readonly #input: InputPipe;
  readonly #outputPipe: OutputPipe;
  readonly #connection: Connection;
  #ending = false;

  constructor(pipes: HostPipes, onCall: CallHandler) {
    const { promise, resolve } = Promise.withResolvers<KlosetError | undefined>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#outputPipe = new OutputPipe(pipes.outputFd, () => this.#outputGone());
    this.#connection = new Connection(
      this.#outputPipe,
      onCall,
      { failed: (fault) => this.#failed(fault), drained: () => this.#end(undefined) },
      () => performance.now(),
    );
    this.#input = new InputPipe(
      pipes.inputFd,
      (bytes) => this.#connection.receive(bytes),
      () => this.#inputEnded(),
    );
  }

  async shutdown(graceMs: number): Promise<void> {
    this.#connection.refuse();
    const timer = setTimeout(() => {
      this.#connection.cutShort('The plugin was stopped before the call was answered.');
      // Not once they have left: a host that does not read would hold the plugin for ever.
      this.#end(undefined);
    }, graceMs);
    await this.closed;
    clearTimeout(timer);
  }

  /** Half a frame at the end changes nothing: the host is gone, and with it whoever waits for an answer. */
  #inputEnded(): void {
    this.#connection.abandon('the host is gone');
    this.#end(undefined);
  }

  #outputGone(): void {
    this.#connection.abandon('the host is gone');
    this.#connection.output.stop();
    this.#end(undefined);
  }

  #failed(fault: ConnectionFault): void {
    this.#end(
      new KlosetError('CONNECTION_LOST', `the host broke HTTP/2 (${fault.codeName}): ${fault.message}`),
    );
  }

  /** Sends what can still be sent, then closes both pipes. */
  #end(reason: KlosetError | undefined): void {
    if (this.#ending) return;
    this.#ending = true;
    const { output } = this.#connection;
    const timer = setTimeout(() => output.stop(), FLUSH_MS);
    void output.drained().then(() => {
      clearTimeout(timer);
      this.#connection.close();
      this.#input.close();
      this.#outputPipe.close();
      this.#resolveClosed(reason);
    });
  }
}

import { type FileHandle, open } from 'node:fs/promises';
import { KlosetError } from '../../errors.ts';
import { type ObjectRef, type ObjectType, tagOf } from '../objectNames.ts';
import { headingLine, objectLine, readLine } from './readTrace.ts';

const BUFFERED_CHARS = 64 * 1024;

/** What a read was about. Times are in milliseconds of one monotonic clock. */
export interface ReadToTrace {
  readonly ref: ObjectRef;
  readonly startMs: number;
  readonly endMs: number;
  readonly offset: number;
  readonly length: number;
  readonly error?: string | undefined;
}

/**
 * Appends reads to a trace file (docs/read-path.md has its format). Lines are collected and written some thousand at
 * a time, so that tracing does not slow what it measures; {@link close} writes the rest. A file that cannot be
 * written ends the trace, not the reads: the failure shows at `close`.
 */
export class TraceWriter {
  readonly #path: string;
  readonly #run: string;
  readonly #originMs: number;
  readonly #numbers = new Map<string, number>();
  #file: Promise<FileHandle> | undefined;
  #lines = '';
  #written: Promise<void> = Promise.resolve();
  #failure: unknown;

  /** @param originMs the run's first moment, on the clock of the reads */
  constructor(path: string, originMs: number) {
    this.#path = path;
    this.#originMs = originMs;
    this.#run = `${process.pid}-${Date.now().toString(36)}`;
  }

  /** Whether the object has a line already. */
  knows(ref: ObjectRef): boolean {
    return this.#numbers.has(tagOf(ref));
  }

  object(ref: ObjectRef, bytes: number): void {
    if (this.knows(ref)) return;
    this.#append(objectLine({ object: this.#numberOf(ref), type: ref.type, bytes }));
  }

  read(read: ReadToTrace): void {
    const { ref, startMs, endMs, offset, length, error } = read;
    const type: ObjectType = ref.type;
    const startUs = Math.max(0, Math.round((startMs - this.#originMs) * 1000));
    const durationUs = Math.max(0, Math.round((endMs - startMs) * 1000));
    this.#append(readLine({ startUs, durationUs, type, object: this.#numberOf(ref), offset, length, error }));
  }

  /** @throws KlosetError FILE_WRITE_FAILED when lines were lost */
  async close(): Promise<void> {
    this.#flush();
    await this.#written;
    await (await this.#file?.catch(() => undefined))?.close();
    this.#file = undefined;
    if (this.#failure === undefined) return;
    throw new KlosetError('FILE_WRITE_FAILED', 'the trace of reads could not be written', {
      object: this.#path,
      remedy: 'Check that the folder is there and may be written to.',
      cause: this.#failure,
    });
  }

  #numberOf(ref: ObjectRef): number {
    const tag = tagOf(ref);
    const known = this.#numbers.get(tag);
    if (known !== undefined) return known;
    this.#numbers.set(tag, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  #append(line: string): void {
    if (this.#failure !== undefined) return;
    this.#lines += line;
    if (this.#lines.length >= BUFFERED_CHARS) this.#flush();
  }

  #flush(): void {
    if (this.#lines === '') return;
    // One write each, heading included: lines of two processes that share the file never mix within a block.
    const block = headingLine(this.#run) + this.#lines;
    this.#lines = '';
    this.#written = this.#written.then(async () => {
      if (this.#failure !== undefined) return;
      try {
        this.#file ??= open(this.#path, 'a');
        await (await this.#file).appendFile(block);
      } catch (error) {
        this.#failure = error;
      }
    });
  }
}

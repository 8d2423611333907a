import { type Hash, randomUUID } from 'node:crypto';
import { type Algorithm, hasher } from './names.ts';
import type { BodyEnd, ChunkTarget, RequestBody } from './requestBody.ts';
import type { Storage, UploadSink } from './storage.ts';

/** One upload: the bytes received so far and their running hash. */
export class UploadSession implements ChunkTarget {
  readonly id: string;
  readonly repository: string;
  bytes = 0;
  /** The length of each PATCH that came through whole. */
  readonly chunks: number[] = [];
  readonly sink: UploadSink;
  #algorithm: Algorithm;
  #hash: Hash;
  #writer: RequestBody | undefined;

  constructor(id: string, repository: string, algorithm: Algorithm, sink: UploadSink) {
    this.id = id;
    this.repository = repository;
    this.sink = sink;
    this.#algorithm = algorithm;
    this.#hash = hasher(algorithm);
  }

  /** Announces the algorithm of the final digest; of use only while nothing is hashed yet. */
  expect(algorithm: Algorithm): void {
    if (this.bytes > 0 || algorithm === this.#algorithm) return;
    this.#algorithm = algorithm;
    this.#hash = hasher(algorithm);
  }

  write(chunk: Buffer): boolean {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    return this.sink.write(chunk);
  }

  drained(): Promise<void> {
    return this.sink.drained();
  }

  /**
   * Makes the caller the only writer. Whoever wrote before is stopped: most often it is a request whose connection
   * is dead without the server knowing yet, and its client is the one that comes back now.
   */
  takeOver(): void {
    this.#writer?.stop();
    this.#writer = undefined;
  }

  /** @param skipBytes how much of the beginning is passed over */
  async receive(body: RequestBody, skipBytes = 0): Promise<BodyEnd> {
    this.takeOver();
    this.#writer = body;
    try {
      return await body.pump(skipBytes === 0 ? this : behind(skipBytes, this));
    } finally {
      if (this.#writer === body) this.#writer = undefined;
    }
  }

  /** The digest of everything received. The session takes no bytes after this. */
  async digest(algorithm: Algorithm): Promise<string> {
    if (algorithm === this.#algorithm) return `${algorithm}:${this.#hash.digest('hex')}`;
    const hash = hasher(algorithm);
    const reader = await this.sink.reread();
    for (let piece = await reader.next(); piece; piece = await reader.next()) hash.update(piece);
    reader.close(true);
    return `${algorithm}:${hash.digest('hex')}`;
  }
}

/** Hands on what follows the first bytes. */
function behind(skipBytes: number, target: ChunkTarget): ChunkTarget {
  let left = skipBytes;
  return {
    write(chunk) {
      const rest = chunk.subarray(Math.min(left, chunk.length));
      left -= chunk.length - rest.length;
      return rest.length === 0 || target.write(rest);
    },
    drained: () => target.drained(),
  };
}

/** The open upload sessions. A session lives until it is committed, cancelled or forgotten. */
export class UploadSessions {
  readonly #storage: Storage;
  readonly #open = new Map<string, UploadSession>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** A session that nobody can address: that of a single POST. */
  create(repository: string, algorithm: Algorithm): UploadSession {
    const id = randomUUID();
    return new UploadSession(id, repository, algorithm, this.#storage.createUpload(id));
  }

  open(repository: string, algorithm: Algorithm): UploadSession {
    const session = this.create(repository, algorithm);
    this.#open.set(session.id, session);
    return session;
  }

  get(repository: string, id: string): UploadSession | undefined {
    const session = this.#open.get(id);
    return session?.repository === repository ? session : undefined;
  }

  /** Ends the session for clients; its bytes stay with the caller. False when someone else ended it already. */
  close(session: UploadSession): boolean {
    return this.#open.delete(session.id);
  }

  list(): { repository: string; id: string; bytes: number }[] {
    return [...this.#open.values()].map(({ repository, id, bytes }) => ({ repository, id, bytes }));
  }

  async forget(id: string): Promise<void> {
    const session = this.#open.get(id);
    if (!session || !this.close(session)) return;
    session.takeOver();
    await session.sink.discard();
  }

  async forgetAll(): Promise<void> {
    const sessions = [...this.#open.values()];
    this.#open.clear();
    for (const session of sessions) session.takeOver();
    await Promise.all(sessions.map((session) => session.sink.discard()));
  }
}

import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf, type JournalContent } from './content.ts';
import { decodeJournal, type JournalTarget } from './format.ts';
import { formatOwner, livenessOf, type Owner, parseOwner, readOwner } from './owner.ts';
import { isExpired } from './policy.ts';

// Some hundred thousand lines. What is longer was not written by a push.
const MAX_JOURNAL_BYTES = 64 * 1024 * 1024;

/** A journal that an earlier run left, now this process's. */
export interface ClaimedJournal extends JournalContent {
  readonly path: string;
  readonly expired: boolean;
}

/** Told about journals that cannot be used, in words for people. */
export type OnRemark = (remark: string) => void;

/** In place of an owner: the push has ended, and its process may go on. */
const RELEASED = 'released';

/**
 * The journals of pushes, one file per process and target, named `TARGET.OWNER.RANDOM.journal`. The owner stands in
 * the name, so that a journal changes hands by being renamed: of two pushes that find the same one, one has it.
 */
export class JournalFolder {
  readonly #path: string;
  readonly #self: Owner;
  readonly #onRemark: OnRemark;
  readonly #now: () => number;

  private constructor(path: string, self: Owner, onRemark: OnRemark, now: () => number) {
    this.#path = path;
    this.#self = self;
    this.#onRemark = onRemark;
    this.#now = now;
  }

  /**
   * Makes the folder where it is not there.
   *
   * @param now the time of day in milliseconds, to tell the age of files
   * @throws errors of the file system
   */
  static async open(path: string, onRemark: OnRemark, now: () => number = Date.now): Promise<JournalFolder> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return new JournalFolder(path, await readOwner(), onRemark, now);
  }

  /** A name for a journal of this process. */
  newPath(target: JournalTarget): string {
    return this.#named(target, formatOwner(this.#self));
  }

  /** Leaves a journal to whoever pushes to the target next. */
  async release(path: string, target: JournalTarget): Promise<void> {
    await rename(path, this.#named(target, RELEASED));
  }

  /**
   * Takes over the journals for a target whose pushes have ended, and removes those that are of no use to anyone. A
   * journal whose push may still run is not touched, nor is one of another user.
   */
  async claim(target: JournalTarget): Promise<ClaimedJournal[]> {
    const claimed: ClaimedJournal[] = [];
    for (const name of await readdir(this.#path)) {
      const match = /^([0-9a-f]{16})\.([0-9a-z-]+)\.[0-9a-f]{8}\.journal$/.exec(name);
      if (!match) continue;
      const [, hash, owner = ''] = match;
      const journal = await this.#take(name, parseOwner(owner), hash === hashOf(target), target).catch(
        (error) => this.#unusable(name, (error as NodeJS.ErrnoException).code ?? String(error)),
      );
      if (journal) claimed.push(journal);
    }
    return claimed;
  }

  async #take(
    name: string,
    owner: Owner | undefined,
    ours: boolean,
    target: JournalTarget,
  ): Promise<ClaimedJournal | undefined> {
    const path = join(this.#path, name);
    const stats = await lstat(path).catch(() => undefined);
    // Taken by another push since the folder was read.
    if (!stats) return undefined;
    if (!stats.isFile()) return this.#unusable(name, 'no file');
    if (process.getuid && stats.uid !== process.getuid()) return this.#unusable(name, 'of another user');
    const liveness = owner ? await livenessOf(owner, this.#self) : 'dead';
    const expired = isExpired(stats.mtimeMs, this.#now());
    if (liveness === 'alive') return undefined;
    if (liveness === 'unknown' || !ours) {
      // Its sessions are beyond reach: they are of another place, or of a process that cannot be seen from here.
      if (expired) await rm(path, { force: true });
      return undefined;
    }
    const own = this.newPath(target);
    const renamed = await rename(path, own).then(
      () => true,
      () => false,
    );
    return renamed ? this.#read(own, target, expired) : undefined;
  }

  async #read(path: string, target: JournalTarget, expired: boolean): Promise<ClaimedJournal | undefined> {
    const decoded = await readText(path).then(
      decodeJournal,
      (error) => `cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
    const fits =
      typeof decoded === 'object' &&
      decoded.header.origin === target.origin &&
      decoded.header.repository === target.repository;
    if (fits) return { ...contentOf(decoded), path, expired };
    await rm(path, { force: true });
    if (decoded !== 'empty')
      this.#onRemark(
        `the journal of an earlier push was removed: ${typeof decoded === 'string' ? decoded : 'of another place'}`,
      );
    return undefined;
  }

  #named(target: JournalTarget, owner: string): string {
    return join(this.#path, `${hashOf(target)}.${owner}.${randomBytes(4).toString('hex')}.journal`);
  }

  #unusable(name: string, reason: string): undefined {
    this.#onRemark(`a journal of an earlier push was left alone: ${reason} (${join(this.#path, name)})`);
  }
}

async function readText(path: string): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await handle.stat();
    if (size > MAX_JOURNAL_BYTES) return 'too long\n';
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function hashOf({ origin, repository }: JournalTarget): string {
  return createHash('sha256').update(`${origin}/${repository}`).digest('hex').slice(0, 16);
}

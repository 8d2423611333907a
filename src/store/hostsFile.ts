import { readFile } from 'node:fs/promises';
import { FACT_KINDS, type HostFacts } from '../engine/hostFacts.ts';
import { writeAtomically } from './atomicFile.ts';

/** What was learned about a host, and since when that counts. */
export interface HostRecord {
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  readonly facts: HostFacts;
}

/** Records by host (`HOST[:PORT]`) and profile (a name, or `auto`). */
type Hosts = Record<string, Record<string, { since: string; facts: HostFacts }>>;

const VERSION = 1;

/** A registry that was upgraded, or put behind another proxy, gets another try after this long. */
const LIFETIME_MS = 30 * 24 * 3_600_000;

/**
 * What processes before this one have learned about registries, in one file: `{"version":1,"hosts":{HOST:{PROFILE:
 * {"since":TIME,"facts":{…}}}}}`. It is a cache of experience: a file that is missing, damaged or of another version
 * is the same as an empty one, and of two processes that write at once the later one wins.
 */
export class HostsFile {
  readonly #path: string;
  readonly #onRemark: (text: string) => void;

  constructor(path: string, onRemark: (text: string) => void = () => {}) {
    this.#path = path;
    this.#onRemark = onRemark;
  }

  /** The record of a host, unless it is too old. */
  async read(host: string, profile: string, nowMs = Date.now()): Promise<HostRecord | undefined> {
    const entry = (await this.#load())[host]?.[profile];
    if (!entry) return undefined;
    const sinceMs = Date.parse(entry.since);
    // One from the future would never expire.
    if (!(sinceMs <= nowMs && nowMs - sinceMs < LIFETIME_MS)) return undefined;
    return { sinceMs, facts: entry.facts };
  }

  /**
   * Replaces the record of one host and keeps all others as they are by now.
   *
   * Fails with a remark alone: a full disk must not turn a backup that is stored into one that failed.
   */
  async write(host: string, profile: string, record: HostRecord): Promise<void> {
    try {
      const hosts = await this.#load();
      hosts[host] = {
        ...hosts[host],
        [profile]: { since: new Date(record.sinceMs).toISOString(), facts: record.facts },
      };
      const text = `${JSON.stringify({ version: VERSION, hosts }, undefined, 1)}\n`;
      await writeAtomically(this.#path, [Buffer.from(text)]);
    } catch (error) {
      this.#onRemark(`what was learned about ${host} could not be kept: ${messageOf(error)}`);
    }
  }

  async #load(): Promise<Hosts> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#ignore(messageOf(error));
      return {};
    }
    try {
      return parseHosts(JSON.parse(text));
    } catch (error) {
      this.#ignore(messageOf(error));
      return {};
    }
  }

  #ignore(why: string): void {
    this.#onRemark(`${this.#path} was ignored: ${why}`);
  }
}

/** Keeps what makes sense, entry by entry. @throws Error for a file that is none of ours */
function parseHosts(value: unknown): Hosts {
  if (!isRecord(value) || value.version !== VERSION || !isRecord(value.hosts)) {
    throw new Error(`it is no list of hosts of version ${VERSION}`);
  }
  // Names from a file must not reach Object.prototype.
  const hosts: Hosts = Object.create(null);
  for (const [host, profiles] of Object.entries(value.hosts)) {
    if (!isRecord(profiles)) continue;
    const kept: Hosts[string] = Object.create(null);
    for (const [profile, entry] of Object.entries(profiles)) {
      if (!isRecord(entry) || typeof entry.since !== 'string' || !isRecord(entry.facts)) continue;
      if (Number.isNaN(Date.parse(entry.since))) continue;
      kept[profile] = { since: entry.since, facts: parseFacts(entry.facts) };
    }
    hosts[host] = kept;
  }
  return hosts;
}

function parseFacts(value: Record<string, unknown>): HostFacts {
  const known = Object.entries(value).filter(([name, fact]) => {
    if (!Object.hasOwn(FACT_KINDS, name)) return false;
    const kind = FACT_KINDS[name as keyof HostFacts];
    return kind === 'boolean' ? typeof fact === 'boolean' : Number.isSafeInteger(fact) && Number(fact) > 0;
  });
  return Object.fromEntries(known);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { join } from 'node:path';
import type { HostFacts } from '../engine/hostFacts.ts';
import type { HostMemory } from '../engine/hostMemory.ts';
import { stateFolder } from '../engine/stateFolder.ts';
import type { ProfileName } from '../registry/profiles/names.ts';
import type { ProviderProfile } from '../registry/profiles.ts';
import { isLoopback, type Reference } from '../registry/reference.ts';
import type { RequestKind } from '../registry/transport.ts';
import type { HostRecord } from './hostsFile.ts';

/** What a store knows of its registry from elsewhere than its own requests. */
export interface HostKnowledgeOptions {
  /** Absent: by the host's name, else by its answers. */
  readonly profile?: ProfileName | undefined;
  readonly onRemark?: ((text: string) => void) | undefined;
  /** Told of the profile once somebody needs what is known. */
  readonly onProfile?: ((profile: ProviderProfile) => void) | undefined;
}

type Headers = Readonly<Record<string, string>>;

/**
 * Brings together what is known of a registry: the profile of its provider, and what earlier processes have learned.
 *
 * On this machine nothing is known beforehand, and nothing is kept: ports of loopback belong to another registry
 * tomorrow, and a start there is to cost nothing. A profile that is asked for, or `KLOSET_OCI_STATE_DIR`, changes that.
 */
export class HostKnowledge {
  readonly #host: string;
  readonly #registry: string;
  readonly #options: HostKnowledgeOptions;
  readonly #path: string | undefined;
  readonly #asks: boolean;
  /** The first answer to each kind of request: enough to tell registries apart, however many follow. */
  readonly #answers = new Map<RequestKind, Headers>();
  #record: HostRecord | undefined;

  constructor(
    reference: Reference,
    options: HostKnowledgeOptions = {},
    environment: NodeJS.ProcessEnv = process.env,
  ) {
    const { host, hostname } = new URL(reference.origin);
    const keeps = Boolean(environment.KLOSET_OCI_STATE_DIR) || !isLoopback(hostname);
    this.#host = host;
    this.#registry = reference.registry;
    this.#options = options;
    this.#path = keeps ? join(stateFolder(environment), 'hosts.json') : undefined;
    this.#asks = keeps || options.profile !== undefined;
  }

  /** Looks at an answer as it passes, without a request of its own. */
  readonly onAnswer = (kind: RequestKind, headers: Headers): void => {
    if (!this.#answers.has(kind)) this.#answers.set(kind, headers);
  };

  /** The profile: the one asked for, else by the host's name, else by what was answered so far, else `generic`. */
  async profile(): Promise<ProviderProfile> {
    const { profileOf } = await import('../registry/profiles.ts');
    const { profile } = this.#options;
    const byName = profileOf(this.#registry, profile);
    if (profile !== undefined || byName.name !== 'generic') return byName;
    const { profileOfAnswers } = await import('../registry/profileDetection.ts');
    return profileOfAnswers([...this.#answers.values()]) ?? byName;
  }

  /** Has a memory ask for what is known, once somebody needs it. */
  inform(memory: HostMemory): void {
    if (this.#asks) memory.askFirst(() => this.#facts());
  }

  /** Keeps what a memory has learned beyond that. */
  async save(memory: HostMemory): Promise<void> {
    const { learned } = memory;
    if (this.#path === undefined || Object.keys(learned).length === 0) return;
    const facts = { ...this.#record?.facts, ...learned };
    // Its age counts from the first fact: a record that each run renews would never expire.
    const sinceMs = this.#record?.sinceMs ?? Date.now();
    await (await this.#file())?.write(this.#host, this.#profileKey, { sinceMs, facts });
  }

  async #facts(): Promise<HostFacts> {
    const { factsOf } = await import('./profileFacts.ts');
    const profile = await this.profile();
    this.#options.onProfile?.(profile);
    const facts = factsOf(profile);
    this.#record = await (await this.#file())?.read(this.#host, this.#profileKey);
    // Seen there counts more than written elsewhere.
    return { ...facts, ...this.#record?.facts };
  }

  /** Without one that was asked for, since detection may come to know more from run to run. */
  get #profileKey(): string {
    return this.#options.profile ?? 'auto';
  }

  async #file() {
    if (this.#path === undefined) return undefined;
    const { HostsFile } = await import('./hostsFile.ts');
    return new HostsFile(this.#path, this.#options.onRemark);
  }
}

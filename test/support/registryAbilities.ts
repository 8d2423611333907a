/** Fault plans that make the embedded registry refuse what other registries refuse. */
import type { Exchange, FaultAction, FaultPlan } from '../../src/emulator/index.ts';

export interface Abilities {
  /** `refused` with 405, as most do; `protected` with 412, as Harbor does for an immutable tag. */
  readonly byTag?: 'works' | 'refused' | 'protected';
  /** `untagged`: 403 while a tag names it, as Docker Hub; `dangling`: 400, as Google; `dropped`: goes with its last tag. */
  readonly byDigest?: 'works' | 'refused' | 'untagged' | 'dangling' | 'dropped' | 'protected';
  /** The answer to a second PUT of a tag; by default it is accepted. */
  readonly immutable?: { readonly status: number; readonly code: string };
}

/** A registry of certain abilities. It has to see every request, since it keeps account of the tags. */
export class RegistryAbilities implements FaultPlan {
  readonly #abilities: Abilities;
  readonly #digests = new Map<string, string>();
  /** What else may happen to a request; consulted first. */
  trouble: FaultPlan['before'];

  constructor(abilities: Abilities) {
    this.#abilities = abilities;
  }

  before(exchange: Exchange): FaultAction | undefined {
    const refusal = this.#refusal(exchange);
    const trouble = this.trouble?.(exchange);
    if (trouble?.kind !== 'lose-response') return trouble ?? refusal;
    // What would have been refused has no effect either when its answer is lost.
    if (refusal) return { kind: 'reset' };
    // An answer that nobody hears is not shown to this plan.
    if (exchange.route === 'manifest') this.#note(exchange, 'unknown');
    return trouble;
  }

  #refusal(exchange: Exchange): FaultAction | undefined {
    const { method, route, reference = '' } = exchange;
    if (route !== 'manifest') return undefined;
    if (method === 'DELETE') return this.#refuseDelete(reference);
    const { immutable } = this.#abilities;
    if (method === 'PUT' && immutable && this.#digests.has(keyOf(exchange)))
      return refuse(immutable.status, immutable.code);
    return undefined;
  }

  answer(exchange: Exchange, answer: { status: number; headers: Record<string, string> }): undefined {
    if (exchange.route === 'manifest' && answer.status < 300) this.#note(exchange, digestIn(answer.headers));
  }

  #note(exchange: Exchange, digest: string): void {
    const { method, reference = '' } = exchange;
    if (method === 'PUT') this.#digests.set(keyOf(exchange), digest);
    if (method !== 'DELETE') return;
    if (!reference.includes(':')) this.#digests.delete(keyOf(exchange));
    else for (const [key, known] of this.#digests) if (known === reference) this.#digests.delete(key);
  }

  #refuseDelete(reference: string): FaultAction | undefined {
    const { byTag = 'works', byDigest = 'works' } = this.#abilities;
    if (!reference.includes(':')) {
      if (byTag === 'refused') return refuse(405, 'UNSUPPORTED');
      return byTag === 'protected' ? refuse(412, 'PRECONDITION') : undefined;
    }
    const tagged = [...this.#digests.values()].includes(reference);
    if (byDigest === 'refused') return refuse(405, 'UNSUPPORTED');
    if (byDigest === 'protected') return refuse(412, 'PRECONDITION');
    if (byDigest === 'untagged' && tagged) return refuse(403, 'DENIED');
    if (byDigest === 'dangling' && tagged) return refuse(400, 'GOOGLE_MANIFEST_DANGLING_TAG');
    return byDigest === 'dropped' && !tagged ? refuse(404, 'MANIFEST_UNKNOWN') : undefined;
  }
}

function keyOf({ repository, reference }: Exchange): string {
  return `${repository}:${reference}`;
}

function refuse(status: number, code: string): FaultAction {
  return { kind: 'respond', status, body: JSON.stringify({ errors: [{ code, message: 'refused' }] }) };
}

function digestIn(headers: Record<string, string>): string {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'docker-content-digest');
  return found?.[1] ?? '';
}

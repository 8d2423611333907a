import type { HostFacts } from '../../engine/hostFacts.ts';
import type { DoctorContext } from './context.ts';

/**
 * How something is there: as the specification has it; with a restriction that a store lives with; not at all, which a
 * store may live with too; tried and failed; not tried, for lack of what it needs.
 */
export type Verdict = 'ok' | 'limited' | 'not possible' | 'failed' | 'skipped';

/** What one probe found out. */
export interface Finding {
  /** A stable name, for programs. */
  readonly name: string;
  readonly title: string;
  readonly verdict: Verdict;
  /** In words, with the registry's own answer where it refused. */
  readonly detail: string;
  /** A store cannot work without it. */
  readonly essential?: boolean;
  /** What the engine does better to know from now on. */
  readonly facts?: HostFacts;
}

/** What has to have worked before a probe makes sense. */
export type Need = 'answer' | 'session' | 'blob' | 'manifest';

/** One question to a registry. */
export interface Probe {
  readonly name: string;
  readonly title: string;
  readonly needs?: Need;
  /** Throws what it did not expect; the doctor reports that as `failed`. */
  run(context: DoctorContext): Promise<readonly Finding[]>;
}

/** The finding of a probe that makes just one. */
export function found(
  probe: Pick<Probe, 'name' | 'title'>,
  verdict: Verdict,
  detail: string,
  more: Pick<Finding, 'essential' | 'facts'> = {},
): Finding {
  return { name: probe.name, title: probe.title, verdict, detail, ...more };
}

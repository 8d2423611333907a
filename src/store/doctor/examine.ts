import type { HostFacts } from '../../engine/hostFacts.ts';
import { asKlosetError } from '../../errors.ts';
import type { Exchange } from '../../registry/exchange.ts';
import { type ProviderProfile, profileOf } from '../../registry/profiles.ts';
import type { OpenOciStore } from '../openStore.ts';
import { type Advice, adviceFrom } from './advice.ts';
import { DoctorContext } from './context.ts';
import { type Finding, found, type Need } from './finding.ts';
import { PROBES } from './probes.ts';
import type { Leftovers } from './trash.ts';

/** Settings of an examination. */
export interface ExamineOptions {
  /** Bytes of payload in both directions together. @default 33554432 */
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onFinding?: ((finding: Finding) => void) | undefined;
}

/** What came of an examination. */
export interface Examination {
  /** A store can work there. */
  readonly works: boolean;
  /** False when it was interrupted. */
  readonly complete: boolean;
  readonly findings: readonly Finding[];
  readonly profile: ProviderProfile;
  readonly facts: HostFacts;
  readonly advice: readonly Advice[];
  readonly leftovers: Leftovers;
}

const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;
const CLEAN_UP_MS = 30_000;
/** An interrupted program has 1.8 s. */
const INTERRUPTED_CLEAN_UP_MS = 1500;

const NEEDED: Record<Need, string> = {
  answer: 'the registry does not answer',
  session: 'nothing may be uploaded',
  blob: 'no blob could be stored',
  manifest: 'no artifact could be stored',
};

/**
 * Examines a registry with a few small objects of its own, under tags that begin with `kloset-oci-doctor-`, and takes
 * them away again, also when it is interrupted. What it learns goes into the memory of the host, which the engine
 * works by.
 */
export async function examine(open: OpenOciStore, options: ExamineOptions = {}): Promise<Examination> {
  const { reference } = open.exchange;
  const host = open.coordinator.host(reference.origin);
  await host.ready();
  const { maxBytes = DEFAULT_MAX_BYTES, signal } = options;
  const context = new DoctorContext(impatient(open.exchange), host, maxBytes, signal);
  const findings: Finding[] = [];
  const report = (finding: Finding) => {
    findings.push(finding);
    if (finding.facts) host.learn(finding.facts);
    options.onFinding?.(finding);
  };
  let leftovers: Leftovers;
  try {
    await runProbes(context, report);
  } finally {
    const timeoutMs = signal?.aborted ? INTERRUPTED_CLEAN_UP_MS : CLEAN_UP_MS;
    leftovers = await context.trash.empty(context.exchange, AbortSignal.timeout(timeoutMs));
  }
  const profile = await open.profile();
  const byHost = profileOf(reference.registry).name === profile.name;
  return {
    works:
      findings.every(({ verdict, essential }) => !(essential && verdict === 'failed')) && canStore(findings),
    complete: !signal?.aborted,
    findings,
    profile,
    facts: host.facts,
    advice: adviceFrom(findings, profile, byHost),
    leftovers,
  };
}

/** A few attempts at most: a doctor that waits for half a minute at each question is no help. */
function impatient(exchange: Exchange): Exchange {
  const policy = { ...exchange.policy, maxAttempts: 2, maxRetryAfterMs: 15_000 };
  return { ...exchange, policy };
}

async function runProbes(context: DoctorContext, report: (finding: Finding) => void): Promise<void> {
  for (const probe of PROBES) {
    if (context.signal?.aborted) return;
    if (probe.needs && !context.has.has(probe.needs)) {
      report(found(probe, 'skipped', NEEDED[probe.needs]));
      continue;
    }
    try {
      for (const finding of await probe.run(context)) report(finding);
    } catch (thrown) {
      if (context.signal?.aborted) return;
      const essential = ['reach', 'api', 'pull', 'push', 'manifest'].includes(probe.name);
      report(found(probe, 'failed', asKlosetError(thrown).summary, { essential }));
    }
  }
}

/** One form of upload, and an artifact under a tag. */
function canStore(findings: readonly Finding[]): boolean {
  const works = (name: string) =>
    findings.some((finding) => finding.name === name && ['ok', 'limited'].includes(finding.verdict));
  return (works('upload-whole') || works('upload-patch') || works('upload-chunks')) && works('manifest');
}

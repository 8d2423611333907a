import { KlosetError } from '../../errors.ts';
import { givenCredentials } from '../../registry/auth/givenCredentials.ts';
import { parseReference } from '../../registry/reference.ts';
import type { RequestStats } from '../../registry/requestStats.ts';
import { type OpenPlace, openPlace } from '../../store/openPlace.ts';
import { ociStoreOptions, type StoreSettings, warningsAbout } from '../../store/storeSettings.ts';
import { copyAll } from '../../store/transfer.ts';
import { interruptSignal } from '../interrupt.ts';
import { type Observation, observe } from '../observe/observe.ts';
import { Output } from '../output.ts';
import { startProgress } from '../progress.ts';
import { type ResumeFlags, resumeOptions } from '../resume.ts';
import { type CommonFlags, storeSettings } from '../storeOptions.ts';
import { printSummary } from '../summary.ts';

/** `copy`: a store from any place to any other. */
export async function copy(from: string, to: string, flags: CommonFlags & ResumeFlags): Promise<void> {
  const output = new Output(flags);
  const signal = interruptSignal();
  const settings = storeSettings(flags);
  for (const warning of warningsAbout(settings)) output.warn(warning);
  const observation = await observe(flags, output);
  refuseSharedCredentials(from, to, settings);
  const options = { ...ociStoreOptions(settings), onRemark: (text: string) => output.remark(text) };
  const source = await openPlace(from, options);
  const target = await openPlace(to, { ...options, ...resumeOptions(flags) });
  try {
    await run(source, target, output, signal, settings, flags.verbose ?? false, observation);
  } finally {
    // Why it failed must not be hidden by what fails after it.
    await Promise.allSettled([source.close(), target.close()]);
    observation.stop();
  }
}

/** A password for one registry is not for another one to see. */
function refuseSharedCredentials(from: string, to: string, settings: StoreSettings): void {
  if (!from.startsWith('oci://') || !to.startsWith('oci://')) return;
  if (parseReference(from).origin === parseReference(to).origin) return;
  if (givenCredentials(settings.credentials ?? {}, process.env) === undefined) return;
  throw new KlosetError('USAGE', 'credentials from options or the environment would go to both registries', {
    remedy: 'Unset them, and log in to each with "kloset-oci login HOST".',
  });
}

async function run(
  source: OpenPlace,
  target: OpenPlace,
  output: Output,
  signal: AbortSignal,
  settings: StoreSettings,
  verbose: boolean,
  observation: Observation,
): Promise<void> {
  const startedMs = performance.now();
  if (source.identity === target.identity) {
    throw new KlosetError('USAGE', 'source and target are the same place', {
      object: target.store.location,
      remedy: 'Name another target.',
    });
  }
  const progress = await startProgress(output, 'copying', verbose);
  try {
    const { concurrency } = settings;
    const result = await copyAll(source.store, target.store, {
      signal,
      onEvent: progress.onEvent,
      concurrency,
    });
    progress.stop();
    // An image layout is complete only now.
    await target.store.close();
    const means = {
      output,
      stats: () => sumStats(source.stats(), target.stats()),
      coordinator: target.coordinator,
      observation,
    };
    await printSummary(means, 'copied', { ...result, seconds: (performance.now() - startedMs) / 1000 });
  } finally {
    progress.stop();
  }
}

function sumStats(one: RequestStats, two: RequestStats): RequestStats {
  const requests: Record<string, number> = { ...one.requests };
  for (const [kind, count] of Object.entries(two.requests)) requests[kind] = (requests[kind] ?? 0) + count;
  return { requests, retries: one.retries + two.retries, throttled: one.throttled + two.throttled };
}

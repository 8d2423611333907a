import { KlosetError, throwIfAborted } from '../../errors.ts';
import type { Advice } from '../../store/doctor/advice.ts';
import { type Examination, examine } from '../../store/doctor/examine.ts';
import type { Finding } from '../../store/doctor/finding.ts';
import type { Leftovers } from '../../store/doctor/trash.ts';
import { formatBytes } from '../format.ts';
import type { Output } from '../output.ts';
import { type Session, withSession } from '../session.ts';
import type { CommonFlags } from '../storeOptions.ts';

const TITLE_WIDTH = 22;
const VERDICT_WIDTH = 14;

/** `doctor`: what a registry can do for a store. */
export async function doctor(location: string, flags: CommonFlags & { maxBytes?: number }): Promise<void> {
  await withSession(location, flags, async (session) => {
    const { output, signal } = session;
    output.line(session.store.location);
    const examination = await examine(session, {
      maxBytes: flags.maxBytes,
      signal,
      onFinding: (finding) => printFinding(output, finding),
    });
    printRest(session, examination);
    throwIfAborted(signal);
    if (!examination.works) fail(session, examination);
  });
}

function printFinding(output: Output, finding: Finding): void {
  const { title, verdict, detail } = finding;
  output.line(`  ${title.padEnd(TITLE_WIDTH)}${verdict.padEnd(VERDICT_WIDTH)}${detail}`);
  const { name, essential = false, facts } = finding;
  output.event({ event: 'finding', name, title, verdict, detail, essential, ...(facts && { facts }) });
}

function printRest(session: Session, examination: Examination): void {
  const { output } = session;
  const { works, complete, profile, facts, advice, leftovers } = examination;
  output.line(
    `  ${'Profile'.padEnd(TITLE_WIDTH)}${''.padEnd(VERDICT_WIDTH)}${profile.title} (${profile.name})`,
  );
  output.line(
    `  ${'After deletion'.padEnd(TITLE_WIDTH)}${''.padEnd(VERDICT_WIDTH)}${profile.deletion.reclaims.value}`,
  );
  for (const line of adviceLines(advice)) output.line(line);
  for (const line of leftoverLines(leftovers)) output.line(line);
  if (complete && works) output.line('A store works here.');
  const { requests } = session.stats();
  output.event({
    event: 'summary',
    location: session.store.location,
    works: works && complete,
    complete,
    profile: profile.name,
    facts,
    recommended: Object.fromEntries(
      advice.flatMap(({ option }) => (option ? [[option.name, option.value]] : [])),
    ),
    advice: advice.map(({ reason }) => reason),
    leftovers,
    requests,
  });
}

function adviceLines(advice: readonly Advice[]): string[] {
  return advice.map(({ option, reason }) =>
    option
      ? `Recommended: --${option.name.replaceAll('_', '-')} ${option.value} (in plakar: ${option.name}=${option.value}), since ${reason}.`
      : reason,
  );
}

function leftoverLines({ tags, manifests, blobs, blobBytes }: Leftovers): string[] {
  const lines = tags.map((tag) => `Left behind, since it could not be deleted: the tag ${tag}`);
  lines.push(
    ...manifests.map((digest) => `Left behind, since it could not be deleted: the manifest ${digest}`),
  );
  if (blobs > 0) {
    lines.push(`Left to the registry's garbage collection: ${blobs} blobs, ${formatBytes(blobBytes)}`);
  }
  return lines;
}

function fail({ output, store }: Session, { findings }: Examination): void {
  // In JSON the summary is the last line, and says it.
  if (output.mode === 'json') {
    process.exitCode = 1;
    return;
  }
  const causes = findings.filter(({ verdict }) => verdict === 'failed');
  throw new KlosetError('REGISTRY_UNSUITABLE', 'a store cannot work here', {
    registry: store.location,
    tried: causes.map(({ title, detail }) => `${title}: ${detail}`).join('; '),
    remedy: 'Mend what failed first: what comes after it may only follow from it.',
  });
}

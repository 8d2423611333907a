import { profileOf } from '../../registry/profiles.ts';
import { parseReference } from '../../registry/reference.ts';
import type { BenchPlan } from '../../store/bench/plan.ts';
import {
  BENCH_GRACE_MS,
  type BenchEvent,
  type BenchFindings,
  bench,
  planFor,
} from '../../store/bench/run.ts';
import type { BenchLeftovers } from '../../store/bench/trail.ts';
import { rateOf } from '../../store/bench/verdict.ts';
import { ociStoreOptions } from '../../store/storeSettings.ts';
import { agreeToLoad } from '../agree.ts';
import {
  costText,
  expectedText,
  leftoverLines,
  optionTexts,
  remainderLines,
  resultRow,
} from '../benchText.ts';
import { formatBytes, formatSeconds, formatTable } from '../format.ts';
import type { Output } from '../output.ts';
import { writeReport } from '../reportFile.ts';
import { withSession } from '../session.ts';
import { type CommonFlags, storeSettings } from '../storeOptions.ts';

type BenchFlags = CommonFlags & {
  maxRequests: number;
  /** In milliseconds. */
  maxSeconds: number;
  maxBytes: number;
  html?: string;
  yes?: boolean;
};

/** `bench`: how fast a registry is as a store. */
export async function benchRegistry(location: string, flags: BenchFlags): Promise<void> {
  const { maxRequests, maxBytes, html } = flags;
  const bounds = { maxRequests, maxBytes, maxSeconds: flags.maxSeconds / 1000 };
  const options = ociStoreOptions(storeSettings(flags));
  const plan = planFor(options, bounds);
  const { registry } = parseReference(location, { useTls: options.useTls });
  const { byTag, byDigest } = profileOf(registry, options.profile).deletion;
  const stays = byTag?.value === false && byDigest?.value === false;
  const cost = `${costText(plan)} in up to ${formatSeconds(bounds.maxSeconds)}${stays ? ', which it lets nobody delete' : ''}`;
  await agreeToLoad(location, flags, cost);
  if (html) await writeReport(html, '');
  const run = async ({ output, signal }: { output: Output; signal: AbortSignal }) => {
    tellPlan(output, plan, bounds.maxSeconds, stays);
    signal.addEventListener('abort', () =>
      output.note('interrupted: taking everything away again; once more to leave it there'),
    );
    let place = location;
    let leftovers: BenchLeftovers | undefined;
    const onEvent = (event: BenchEvent) => {
      if (event.type === 'place') place = event.location;
      if (event.type === 'cleaned') leftovers = event.leftovers;
      tell(output, event);
    };
    const findings = await bench(location, options, { bounds, signal, onEvent }).catch((error) => {
      // Of a run that failed nothing else is said.
      if (leftovers) for (const line of leftoverLines(leftovers, place)) output.remark(line);
      throw error;
    });
    print(output, findings);
    if (html) {
      const { benchPage } = await import('../benchPage.ts');
      await writeReport(html, await benchPage(findings));
      output.line(`wrote ${html}`);
    }
  };
  await withSession(location, flags, run, {}, BENCH_GRACE_MS);
}

function tellPlan(output: Output, plan: BenchPlan, maxSeconds: number, stays: boolean): void {
  const { rounds, cells, leftOut, cost } = plan;
  const after = stays
    ? 'this kind of registry lets nothing be deleted: what is written stays'
    : 'all of it is deleted again';
  output.note(
    `${rounds} rounds of ${cells.length} measurements: ${costText(plan)}, in up to ${formatSeconds(maxSeconds)}; ${after}`,
  );
  const names = (all: typeof cells) => all.map(({ name }) => name);
  output.event({
    event: 'plan',
    ...cost,
    rounds,
    cells: names(cells),
    leftOut: names(leftOut),
    maxSeconds,
    stays,
  });
}

function tell(output: Output, event: BenchEvent): void {
  if (event.type === 'place') {
    const where = event.own ? 'a repository of its own' : 'the repository itself, under tags of its own';
    output.note(`in ${event.location}: ${where}`);
    output.event({ event: 'place', location: event.location, own: event.own });
  } else if (event.type === 'round') output.note(`round ${event.round} of ${event.rounds}`);
  else if (event.type === 'sample') {
    const { cell, sample, round } = event;
    output.event({ event: 'sample', cell: cell.name, round, ...sample });
  } else if (event.type === 'refused') {
    output.event({ event: 'refused', cell: event.cell.name, reason: event.reason });
  } else if (event.type === 'cleaning') output.note('taking everything away again');
}

function print(output: Output, findings: BenchFindings): void {
  const { results, verdict, requests, bytes, seconds, ...rest } = findings;
  output.line(findings.location);
  output.line(formatTable(results.map(resultRow)));
  output.line(`${requests} requests, ${formatBytes(bytes)} in ${formatSeconds(seconds)}`);
  for (const sentence of verdict.comparisons) output.line(sentence);
  const { flags, plakar } = optionTexts(verdict.recommended);
  output.line(
    flags === '' ? 'The default options are right for it.' : `Recommended: ${flags} (in plakar: ${plakar})`,
  );
  output.line(expectedText('backup', verdict.backup));
  output.line(expectedText('restore', verdict.restore));
  for (const line of remainderLines(findings)) output.line(line);
  const cells = results.map((result) => ({
    ...result.cell,
    rate: rateOf(result),
    ...(result.refused !== undefined && { refused: result.refused }),
  }));
  output.event({ event: 'summary', requests, bytes, seconds, ...rest, results: cells, ...verdict });
}

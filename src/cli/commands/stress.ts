import type { StressFindings } from '../../store/stress/findings.ts';
import { type StressEvent, stress } from '../../store/stress/run.ts';
import { agreeToLoad } from '../agree.ts';
import { formatBytes, formatRate, formatSeconds } from '../format.ts';
import type { Output } from '../output.ts';
import { writeReport } from '../reportFile.ts';
import { type Session, withSession } from '../session.ts';
import type { CommonFlags } from '../storeOptions.ts';
import { limitText } from '../stressText.ts';

/** How long it may take to take everything away again after Ctrl-C, in milliseconds. */
const GRACE_MS = 30_000;

type StressFlags = CommonFlags & {
  maxRequests: number;
  /** In milliseconds. */
  maxSeconds: number;
  maxBytes: number;
  report?: string;
  yes?: boolean;
};

/** `stress`: the limits of a registry. */
export async function stressRegistry(location: string, flags: StressFlags): Promise<void> {
  const { maxRequests, maxBytes } = flags;
  const bounds = { maxRequests, maxBytes, maxSeconds: flags.maxSeconds / 1000 };
  const cost = `up to ${maxRequests} requests and ${formatBytes(maxBytes)} in ${formatSeconds(bounds.maxSeconds)}`;
  await agreeToLoad(location, flags, cost);
  // Before the load: what it found would be lost where it cannot be kept.
  // In turn: of two that fail at once either might be the one that is told of.
  if (flags.report) for (const path of reportFiles(flags.report)) await writeReport(path, '');
  const run = async (session: Session) => {
    const { output, signal, exchange } = session;
    const view = startView(output);
    const findings = await stress(exchange, { bounds, signal, onEvent: view }).finally(() =>
      clearLine(output),
    );
    print(session, findings);
    if (flags.report) await report(flags.report, findings, output);
  };
  await withSession(location, flags, run, { holdsBack: false }, GRACE_MS);
}

/** On a terminal one line that changes, elsewhere a line per step, with `--json` an object per step. */
function startView(output: Output): (event: StressEvent) => void {
  const live = output.mode === 'human' && process.stderr.isTTY === true;
  const counts = { accepted: 0, throttled: 0, failed: 0 };
  let shownMs = 0;
  return (event) => {
    if (event.type === 'load') Object.assign(counts, { accepted: 0, throttled: 0, failed: 0 });
    if (event.type === 'sample') {
      counts[event.sample.outcome]++;
      if (!live || performance.now() - shownMs < 100) return;
      shownMs = performance.now();
      const { accepted, throttled, failed } = counts;
      process.stderr.write(
        `\r\u001b[K${event.kind}: ${accepted} accepted, ${throttled} refused, ${failed} failed, ${event.sample.latencyMs.toFixed(0)} ms`,
      );
    } else {
      clearLine(output);
      const text = lineOf(event);
      if (text) output.note(text);
      if (event.type === 'step') output.event({ event: 'step', kind: event.kind, ...event.step });
      if (event.type === 'transfers') output.event({ event: 'transfers', what: event.what, ...event.step });
    }
  };
}

function lineOf(event: StressEvent): string | undefined {
  if (event.type === 'step') {
    const { offeredPerSecond, accepted, throttled, failed, latencyMs, seconds } = event.step;
    return `${event.kind} at ${offeredPerSecond.toFixed(0)}/s for ${seconds.toFixed(0)} s: ${accepted} accepted, ${throttled} refused, ${failed} failed, p95 ${latencyMs.p95.toFixed(0)} ms`;
  }
  if (event.type === 'transfers') {
    const { connections, bytesPerSecond, failed } = event.step;
    return `${event.what} on ${connections} connections: ${formatRate(bytesPerSecond, 1)}${failed > 0 ? `, ${failed} failed` : ''}`;
  }
  return event.type === 'cleaning' ? 'taking everything away again' : undefined;
}

function clearLine(output: Output): void {
  if (output.mode === 'human' && process.stderr.isTTY) process.stderr.write('\r\u001b[K');
}

function print({ output }: Session, findings: StressFindings): void {
  const { kinds, requests, bytes, seconds, roundTripMs, recommended, leftovers, cutShort } = findings;
  output.line(findings.location);
  output.line(`  round trip        ${roundTripMs.toFixed(1)} ms`);
  for (const kind of kinds) {
    const burst = kind.burst === undefined ? '' : `, ${kind.burst} at once after a pause`;
    output.line(`  ${kind.kind.padEnd(18)}${limitText(kind)}${burst}`);
  }
  for (const [name, steps] of [
    ['upload', findings.uploads],
    ['download', findings.downloads],
  ] as const) {
    if (steps.length === 0) continue;
    const best = Math.max(...steps.map(({ bytesPerSecond }) => bytesPerSecond));
    output.line(`  ${name.padEnd(18)}${formatRate(best, 1)}`);
  }
  output.line(`${requests} requests, ${formatBytes(bytes)} in ${formatSeconds(seconds)}`);
  if (cutShort)
    output.line(`It ended early, for its bound of ${cutShort}: raise --max-${cutShort} to see more.`);
  const options = Object.entries(recommended).map(([name, value]) => `--${name} ${value}`);
  output.line(
    options.length > 0 ? `Recommended: ${options.join(' ')}` : 'The default options are right for it.',
  );
  if (leftovers.tags > 0) output.line(`Left behind, since they could not be deleted: ${leftovers.tags} tags`);
  if (leftovers.blobs > 0) output.line(`Left to the registry's garbage collection: ${leftovers.blobs} blobs`);
  const { kinds: _, ...rest } = findings;
  const summaries = kinds.map(({ samples: __, ...kind }) => kind);
  output.event({ event: 'summary', ...rest, kinds: summaries });
}

async function report(path: string, findings: StressFindings, output: Output): Promise<void> {
  const { stressPage } = await import('../stressPage.ts');
  const [page, figures] = reportFiles(path);
  await writeReport(page, await stressPage(findings));
  await writeReport(figures, `${JSON.stringify(findings, null, 2)}\n`);
  output.line(`wrote ${page} and ${figures}`);
}

function reportFiles(path: string): [string, string] {
  return [path, `${path}.json`];
}

import { OBJECT_BYTES } from '../store/bench/cells.ts';
import type { BenchFindings } from '../store/bench/run.ts';
import { type CellResult, rateOf } from '../store/bench/verdict.ts';
import { expectedText, optionTexts, remainderLines, resultRow } from './benchText.ts';
import { formatBytes, formatSeconds } from './format.ts';
import { htmlFigure, htmlPage, htmlTable, type PageSection } from './plots/page.ts';
import { toSvg } from './plots/svg.ts';

const WIDTH = 620;

/** What a run has found, as a page of its own. */
export async function benchPage(findings: BenchFindings): Promise<string> {
  const { results } = findings;
  const measured = results.filter(({ samples, cell }) => samples.length > 0 && cell.what !== 'list');
  const sections: PageSection[] = [{ title: 'Verdict', html: verdictTable(findings) }];
  const byLanes = measured.filter(({ cell }) => cell.mode === 'configured' && cell.what !== 'read');
  if (byLanes.length > 0) {
    sections.push({
      title: 'Objects at once',
      html: htmlFigure(await toSvg(lanesChart(byLanes)), 'MiB per second by number of objects at once'),
    });
  }
  if (measured.length > 0) {
    const label = 'Each sample of each measurement, in MiB per second, and their medians';
    sections.push({ title: 'Spread', html: htmlFigure(await toSvg(spreadChart(measured)), label) });
  }
  sections.push({
    title: 'All measurements',
    html: htmlTable(['What', 'Median and spread', '', 'Samples'], results.map(row)),
  });
  return htmlPage(`Benchmark of ${findings.location}`, sections);
}

function verdictTable(findings: BenchFindings): string {
  const { verdict, requests, bytes, seconds, place, startedAt } = findings;
  const options = optionTexts(verdict.recommended);
  const sizes = Object.entries(OBJECT_BYTES).map(([name, length]) => `${name} ${formatBytes(length)}`);
  return htmlTable(
    ['What', 'Found'],
    [
      ['Started', startedAt],
      ['Objects in', place.location],
      ['Sizes', sizes.join(', ')],
      ['Cost', `${requests} requests, ${formatBytes(bytes)}, ${formatSeconds(seconds)}`],
      ['Backup', expectedText('backup', verdict.backup)],
      ['Restore', expectedText('restore', verdict.restore)],
      ['Flags to use', options.flags || 'the defaults'],
      ['In plakar', options.plakar || 'the defaults'],
      ...verdict.comparisons.map((sentence) => ['Compared', sentence]),
      ...remainderLines(findings).map((sentence) => ['Note', sentence]),
    ],
  );
}

function row(result: CellResult): (string | number)[] {
  return [...resultRow(result), result.samples.length];
}

const inMib = (bytesPerSecond: number) => bytesPerSecond / 1024 ** 2;

function lanesChart(results: readonly CellResult[]): Parameters<typeof toSvg>[0] {
  const values = results.map((result) => {
    const { what, size, lanes } = result.cell;
    const { median = 0, least = 0, most = 0 } = rateOf(result) ?? {};
    return { series: `${what} ${size}`, lanes, mibps: inMib(median), least: inMib(least), most: inMib(most) };
  });
  const x = {
    field: 'lanes',
    type: 'quantitative',
    title: 'objects at once',
    scale: { type: 'log', base: 2 },
  } as const;
  const color = { field: 'series', type: 'nominal', title: null } as const;
  const y = {
    field: 'mibps',
    type: 'quantitative',
    title: 'MiB/s',
    scale: { type: 'log' },
  } as const;
  return {
    width: WIDTH,
    height: 260,
    data: { values },
    layer: [
      { mark: { type: 'line', point: true }, encoding: { x, y, color } },
      { mark: 'rule', encoding: { x, y: { ...y, field: 'least' }, y2: { field: 'most' }, color } },
    ],
  };
}

function spreadChart(results: readonly CellResult[]): Parameters<typeof toSvg>[0] {
  const values = results.flatMap(({ cell, samples }) =>
    samples.map(({ bytes, seconds }) => ({ name: cell.name, mibps: inMib(bytes / seconds) })),
  );
  const y = {
    field: 'name',
    type: 'nominal',
    title: null,
    sort: null,
    axis: { labelLimit: 240 },
  } as const;
  const x = { field: 'mibps', type: 'quantitative', title: 'MiB/s', scale: { type: 'log' } } as const;
  return {
    width: WIDTH,
    height: { step: 22 },
    data: { values },
    layer: [
      { mark: { type: 'point', filled: true, opacity: 0.7 }, encoding: { x, y } },
      { mark: { type: 'tick', thickness: 2 }, encoding: { y, x: { ...x, aggregate: 'median' } } },
    ],
  };
}

/** A page about results, which needs nothing but itself. */
import { htmlFigure, htmlPage, htmlTable, type PageSection } from '../../src/cli/plots/page.ts';
import { toSvg } from '../../src/cli/plots/svg.ts';
import { resultsRows } from '../suite/markdown.ts';
import { type SuiteFile, situationKey } from '../suite/schema.ts';
import type { Table } from '../suite/table.ts';
import { chartsOf } from './charts.ts';
import { ratioTable } from './ratios.ts';
import { type Row, rowsOf } from './rows.ts';

interface Report {
  readonly html: string;
  /** The charts by name. */
  readonly pictures: ReadonlyMap<string, Picture>;
  /** The newest figures of each situation. */
  readonly newest: readonly Row[];
}

interface Picture {
  readonly svg: string;
  readonly title: string;
  readonly text: string;
}

/** @param files the results of one run or of several: charts show the newest figures, and all of them in the history */
export async function reportOf(files: readonly SuiteFile[]): Promise<Report> {
  const byDate = [...files].sort((a, b) => a.date.localeCompare(b.date));
  const runs = byDate.map(rowsOf);
  // A short run moves fewer objects than a long one: the newer one of them counts, and one alone.
  const newest = [...new Map(runs.flat().map((row) => [chartKey(row), row])).values()];
  const pictures = new Map<string, Picture>();
  for (const { name, title, text, spec } of chartsOf(newest, runs))
    pictures.set(name, { svg: await toSvg(spec), title, text });
  const sections: PageSection[] = [
    {
      title: 'Ours beside the others',
      html: `<p>How many times as good ours is: above 1 it is ahead, below 1 behind. The median of the registries, and
from the worst to the best of them.</p>${scrolled(ratioTable(newest))}`,
    },
    ...[...pictures.values()].map(({ title, text, svg }) => ({
      title,
      html: `<p>${escaped(text)}</p>${htmlFigure(svg, `${title}. ${text}`)}`,
    })),
    { title: 'Runs', html: scrolled(runsTable(byDate)) },
    {
      title: 'All figures',
      html: `<details><summary>${newest.length} figures</summary>${scrolled(resultsRows(newest))}</details>`,
    },
  ];
  return { html: htmlPage('kloset-oci benchmarks', sections), pictures, newest };
}

const chartKey = (row: Row) => `${situationKey({ ...row, objects: 0 }, true)} ${row.unit}`;

function runsTable(files: readonly SuiteFile[]): Table {
  const head = ['date', 'commit', 'machine', 'load', 'storage', 'programs', 'figures'];
  const rows = files.map(({ date, git, machine, versions, results }) => [
    date.slice(0, 16).replace('T', ' '),
    `${git.commit.slice(0, 8)}${git.dirty ? ' with changes' : ''}`,
    `${machine.cpu}, ${machine.cores} processors, ${machine.platform}`,
    machine.loadAverage.toFixed(1),
    machine.storage,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    results.length,
  ]);
  return { head, rows };
}

/** Wider than a page as it may be, it scrolls and the page does not. */
function scrolled({ head, rows }: Table): string {
  const style = 'overflow-x: auto; font-size: .8rem; line-height: 1.3; white-space: nowrap';
  return `<div style="${style}">${htmlTable(head, rows)}</div>`;
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** A page about results, which needs nothing but itself. */
import { htmlFigure, htmlPage, htmlTable, type PageSection } from '../../src/cli/plots/page.ts';
import { toSvg } from '../../src/cli/plots/svg.ts';
import { linkOf, sizeOf, timesAsGood } from '../suite/markdown.ts';
import { type SuiteFile, situationKey } from '../suite/schema.ts';
import { chartsOf } from './charts.ts';
import { rowsOf } from './rows.ts';

export interface Report {
  readonly html: string;
  /** The charts by name. */
  readonly pictures: ReadonlyMap<string, string>;
}

/** @param files the results of one run or of several; charts show the newest figures of each commit's kind */
export async function reportOf(files: readonly SuiteFile[]): Promise<Report> {
  const byDate = [...files].sort((a, b) => a.date.localeCompare(b.date));
  const runs = byDate.map(rowsOf);
  const newest = [
    ...new Map(runs.flat().map((row) => [`${situationKey(row, true)} ${row.unit}`, row])).values(),
  ];
  const sections: PageSection[] = [{ title: 'Runs', html: runsTable(byDate) }];
  const pictures = new Map<string, string>();
  for (const { name, title, text, spec } of chartsOf(newest, runs)) {
    const svg = await toSvg(spec);
    pictures.set(name, svg);
    sections.push({ title, html: `<p>${escaped(text)}</p>${htmlFigure(svg, `${title}. ${text}`)}` });
  }
  sections.push({ title: 'All figures', html: figuresTable(newest) });
  return { html: htmlPage('kloset-oci benchmarks', sections), pictures };
}

function runsTable(files: readonly SuiteFile[]): string {
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
  return htmlTable(head, rows);
}

function figuresTable(rows: ReturnType<typeof rowsOf>): string {
  const ours = new Map(
    rows.filter((row) => row.contestant === 'ours').map((row) => [situationKey(row), row]),
  );
  const head = [
    ...['task', 'registry', 'size', 'link', 'contestant', 'median', 'unit', '± %', 'runs'],
    ...['ours is × as good', 'MiB/s', 'CPU s/GiB', 'requests', 'peak RSS MiB'],
  ];
  return htmlTable(
    head,
    rows.map((row) => {
      const own = ours.get(situationKey(row));
      return [
        ...[row.task, row.registry ?? '', sizeOf(row), linkOf(row), row.contestant],
        ...[rounded(row.median), row.unit, Math.round(row.spread * 100), row.samples.length],
        own && own !== row ? rounded(timesAsGood(own, row)) : '',
        Number.isNaN(row.mibPerSecond) ? '' : rounded(row.mibPerSecond),
        row.cpuSecondsPerGiB === undefined ? '' : rounded(row.cpuSecondsPerGiB),
        row.requests ?? '',
        row.peakRssBytes === undefined ? '' : Math.round(row.peakRssBytes / 1024 / 1024),
      ];
    }),
  );
}

const rounded = (value: number) => Number(value.toPrecision(3));

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

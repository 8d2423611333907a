/** The page about benchmarks in a real browser: from disk, without a network, in light and dark. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SuiteFile } from '../../bench/suite/schema.ts';
import { findBrowser } from '../support/browser.ts';
import { openOffline } from '../support/openOffline.ts';
import { lookAtPlots, type Plot } from '../support/plots.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { suiteFile } from '../support/suiteFile.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const program = findBrowser();

const EARLIER = suiteFile('2026-11-01T10:00:00.000Z', 'a'.repeat(40), 1.2);
const LATER = suiteFile('2026-11-02T10:00:00.000Z', 'b'.repeat(40));
/** Few figures: charts that have none are left out, and none is empty. */
const SMALL: SuiteFile = {
  ...LATER,
  results: LATER.results.filter(
    ({ task, registry, roundTripMs, bandwidthBytesPerSecond }) =>
      task === 'push' && registry === 'zot' && !roundTripMs && !bandwidthBytesPerSecond,
  ),
};

const TITLES_OF_README = [
  ...['Throughput by registry', 'Throughput by round trip', 'Plakar on a registry beside a directory'],
];
const TITLES = [
  ...['Throughput by registry', 'Throughput by size of the objects', 'Throughput by round trip'],
  ...['Throughput of narrow connections', 'Throughput by objects at once', 'Processor time per GiB'],
  ...['Requests per GiB', 'Upload modes and hashers', 'Plakar on a registry beside a directory'],
  ...['Cost of one object by size of the store', 'Listing', "The plugin's transport", 'SHA-256', 'History'],
];

function expectReadable(plot: Plot, scheme: 'light' | 'dark'): void {
  expect(plot.cells, plot.title).not.toHaveLength(0);
  expect(Math.min(...plot.cells), `marks in the emptiest part of ${plot.title}`).toBeGreaterThan(0);
  expect(plot.flat, `marks without extent in ${plot.title}`).toBe(0);
  expect(plot.outside, `texts cut off in ${plot.title}`).toEqual([]);
  expect(plot.overlapping, `texts upon each other in ${plot.title}`).toEqual([]);
  expect(plot.axisTitles, plot.title).not.toHaveLength(0);
  const [dark, light] = scheme === 'dark' ? [0.6, 1] : [0, 0.4];
  expect(plot.textLightness, plot.title).toBeGreaterThanOrEqual(dark);
  expect(plot.textLightness, plot.title).toBeLessThanOrEqual(light);
}

describe.skipIf(program === undefined)('the report of the benchmarks', () => {
  let folder: Scratch;
  let browser: Browser;

  beforeAll(async () => {
    folder = await scratch('report');
    browser = await chromium.launch({ executablePath: program as string, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await folder?.remove();
  });

  /** Without files: about the recordings of the repository. */
  async function report(name: string, files: readonly SuiteFile[] = []): Promise<string> {
    const paths = files.map((_, i) => join(folder.path, `${name}-${i}.json`));
    for (const [i, path] of paths.entries()) await writeFile(path, JSON.stringify(files[i]));
    const page = join(folder.path, `${name}.html`);
    await run(process.execPath, ['bench/report.ts', ...paths, '--out', page], { cwd: ROOT });
    return pathToFileURL(page).href;
  }

  test.each(['light', 'dark'] as const)('all its plots have data and can be read, %s', async (scheme) => {
    const url = await report(`all-${scheme}`, [EARLIER, LATER]);
    const { page, complaints, asked, close } = await openOffline(browser, url, scheme);
    try {
      const plots = await lookAtPlots(page);
      expect(plots.map(({ title }) => title)).toEqual(TITLES);
      for (const plot of plots) expectReadable(plot, scheme);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1280);
      expect(complaints).toEqual([]);
      expect(asked).toEqual([url]);
    } finally {
      await close();
    }
  });

  test('so it is with the recordings of the repository', async () => {
    const { page, complaints, close } = await openOffline(browser, await report('kept'), 'light');
    try {
      const plots = await lookAtPlots(page);
      for (const plot of plots) expectReadable(plot, 'light');
      expect(plots.map(({ title }) => title)).toEqual(expect.arrayContaining(TITLES_OF_README));
      expect(complaints).toEqual([]);
    } finally {
      await close();
    }
  });

  test('what was not measured has no plot', async () => {
    const { page, complaints, close } = await openOffline(browser, await report('small', [SMALL]), 'light');
    try {
      const plots = await lookAtPlots(page);
      expect(plots.map(({ title }) => title)).toEqual([
        ...[
          'Throughput by registry',
          'Processor time per GiB',
          'Requests per GiB',
          'Upload modes and hashers',
        ],
      ]);
      for (const { cells } of plots) expect(Math.min(...cells)).toBeGreaterThan(0);
      expect(complaints).toEqual([]);
    } finally {
      await close();
    }
  });
});

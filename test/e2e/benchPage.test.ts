/** The page of `kloset-oci bench` in a real browser: from disk, without a network, in light and dark. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { benchPage } from '../../src/cli/benchPage.ts';
import { CELLS } from '../../src/store/bench/cells.ts';
import type { BenchFindings } from '../../src/store/bench/run.ts';
import { judge } from '../../src/store/bench/verdict.ts';
import { findBrowser } from '../support/browser.ts';
import { openOffline } from '../support/openOffline.ts';
import { lookAtPlots } from '../support/plots.ts';
import { type Scratch, scratch } from '../support/scratch.ts';

const program = findBrowser();
const MIB = 1024 * 1024;
const ROUNDS = 3;

/** Everything measured, each cell at a speed of its own. */
function findings(): BenchFindings {
  const results = CELLS.map((cell, at) => ({
    cell,
    samples: Array.from({ length: ROUNDS }, (_, round) => ({
      seconds: 1 + round / 10,
      bytes: (at + 1) * 7 * MIB,
      objects: 4,
      reads: 300,
    })),
  }));
  return {
    location: 'oci://localhost:5000/<a & b>',
    place: { location: 'oci://localhost:5000/a/kloset-oci-bench-0', own: true },
    startedAt: '2026-11-01T10:00:00.000Z',
    seconds: 60,
    requests: 2000,
    bytes: 500 * MIB,
    results,
    verdict: judge(results),
    leftOut: [],
    cutShort: undefined,
    leftovers: { tags: 0, blobs: 0, blobBytes: 0 },
  };
}

describe.skipIf(program === undefined)('the page about a registry', () => {
  let folder: Scratch;
  let browser: Browser;

  beforeAll(async () => {
    folder = await scratch('bench-page');
    browser = await chromium.launch({ executablePath: program as string, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await folder?.remove();
  });

  test.each(['light', 'dark'] as const)('has data in its plots and can be read, %s', async (scheme) => {
    const path = join(folder.path, `${scheme}.html`);
    const measured = findings();
    await writeFile(path, await benchPage(measured));
    const url = pathToFileURL(path).href;
    const { page, complaints, asked, close } = await openOffline(browser, url, scheme);
    try {
      const plots = await lookAtPlots(page);
      expect(plots.map(({ title }) => title)).toEqual(['Objects at once', 'Spread']);
      const shown = measured.results.filter(({ cell }) => cell.what !== 'list');
      // A mark for each sample, and one for each median.
      expect(plots[1]?.cells).toEqual([shown.length * (ROUNDS + 1)]);
      for (const plot of plots) {
        expect(Math.min(...plot.cells), plot.title).toBeGreaterThan(0);
        expect(plot.flat, plot.title).toBe(0);
        expect(plot.outside, plot.title).toEqual([]);
        expect(plot.overlapping, plot.title).toEqual([]);
        const [darkest, lightest] = scheme === 'dark' ? [0.6, 1] : [0, 0.4];
        expect(plot.textLightness, plot.title).toBeGreaterThanOrEqual(darkest);
        expect(plot.textLightness, plot.title).toBeLessThanOrEqual(lightest);
      }
      expect(await page.locator('h1').textContent()).toBe('Benchmark of oci://localhost:5000/<a & b>');
      expect(await page.locator('section').last().locator('tr').count()).toBe(CELLS.length + 1);
      expect(complaints).toEqual([]);
      expect(asked).toEqual([url]);
    } finally {
      await close();
    }
  });
});

/** The report of the benchmarks, looked at in a real browser. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BrowserPage, openInChromium } from '../support/chromium.ts';
import { peer, requirePeers } from '../support/peers.ts';
import { type Scratch, scratch } from '../support/scratch.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SAMPLES = ['first.json', 'second.json'].map((name) => join(ROOT, 'bench', 'report', 'sample', name));
const CHARTS = [
  ...['throughput', 'size', 'round-trip', 'concurrency', 'cpu', 'requests', 'stores', 'restore', 'hash'],
  'history',
];

const needed = requirePeers(['chromium']);

/** What a browser has drawn of each figure. */
interface Drawn {
  readonly label: string;
  /** Bars, points and lines that take room inside of the picture. */
  readonly marks: number;
  /** Those that lie outside of it, or are nothing. */
  readonly lost: number;
  readonly texts: number;
  readonly textColour: string;
}

const DRAWN = `[...document.querySelectorAll('figure')].map((figure) => {
  const svg = figure.querySelector('svg');
  const room = svg.getBoundingClientRect();
  const marks = [...svg.querySelectorAll('.role-mark path')].map((mark) => mark.getBoundingClientRect());
  const inside = marks.filter((box) => box.width + box.height > 0 && box.left >= room.left - 1 &&
    box.right <= room.right + 1 && box.top >= room.top - 1 && box.bottom <= room.bottom + 1);
  const texts = [...svg.querySelectorAll('text')].filter((text) => text.textContent.trim() !== '');
  return {
    label: figure.getAttribute('aria-label'), marks: inside.length, lost: marks.length - inside.length,
    texts: texts.length, textColour: getComputedStyle(texts[0]).fill,
  };
})`;

describe.skipIf(!needed.found)('the report of two sample runs in Chromium', () => {
  let folder: Scratch;
  let page: BrowserPage;
  let file: string;

  beforeAll(async () => {
    folder = await scratch('e2e-report');
    file = join(folder.path, 'report.html');
    const { stderr } = await run(process.execPath, [
      ...[join(ROOT, 'bench', 'report.ts'), ...SAMPLES, '--out', file],
    ]);
    expect(stderr).toContain(`(${CHARTS.join(', ')})`);
    page = await openInChromium(peer('chromium'), file);
  });

  afterAll(async () => {
    await page?.close();
    await folder?.remove();
  });

  test('every chart has marks, none of them is lost, and all have text', async () => {
    const drawn = await page.evaluate<Drawn[]>(DRAWN);
    expect(drawn).toHaveLength(CHARTS.length);
    for (const { label, marks, lost, texts } of drawn) {
      expect(marks, label).toBeGreaterThan(1);
      expect(lost, label).toBe(0);
      expect(texts, label).toBeGreaterThan(3);
    }
  });

  test('it can be read in the light and in the dark', async () => {
    const colours = async (scheme: 'light' | 'dark') => {
      await page.prefer(scheme);
      const drawn = await page.evaluate<Drawn[]>(DRAWN);
      const body = await page.evaluate<string>('getComputedStyle(document.body).color');
      return { body, charts: [...new Set(drawn.map(({ textColour }) => textColour))] };
    };
    const [light, dark] = [await colours('light'), await colours('dark')];
    expect(light.body).not.toBe(dark.body);
    expect(light.charts).toEqual([light.body]);
    expect(dark.charts).toEqual([dark.body]);
  });

  test('it asks for nothing else, and nobody complains', async () => {
    expect(page.requested.filter((url) => !url.startsWith('data:'))).toEqual([pathToFileURL(file).href]);
    expect(page.problems).toEqual([]);
  });
});

/** What a browser has made of the plots of a page. */
import type { Page } from 'playwright-core';

export interface Plot {
  /** Of its section. */
  readonly title: string;
  /** Marks of data in each part of a picture with parts, or in the one picture. */
  readonly cells: readonly number[];
  /** Marks that nobody sees: bars without height, lines without length. */
  readonly flat: number;
  readonly axisTitles: readonly string[];
  /** Texts that are shortened, or that the edge of the picture cuts off. */
  readonly outside: readonly string[];
  /** Texts that cover each other. */
  readonly overlapping: readonly string[];
  /** Of its texts, 0 for black to 1 for white. */
  readonly textLightness: number;
}

export function lookAtPlots(page: Page): Promise<Plot[]> {
  return page.evaluate(lookInside) as Promise<Plot[]>;
}

// Runs in the page, so it may use nothing from here. The types of a page are not among those of this project.
// biome-ignore-start lint/suspicious/noExplicitAny: elements of a page
function lookInside(): unknown {
  const document = (globalThis as any).document;
  const all = (root: any, selector: string): any[] => [...root.querySelectorAll(selector)];
  const meet = (a: any, b: any) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;

  function marksOf(root: any): any[] {
    return all(root, '.mark-rect.role-mark path, .mark-symbol.role-mark path');
  }
  return all(document, 'figure svg').map((svg) => {
    const parts = all(svg, '.role-scope.cell > g');
    const frame = svg.getBoundingClientRect();
    const texts = all(svg, 'text').filter((text) => text.textContent !== '');
    const boxes = texts.map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
    const [, red, green, blue] = /(\d+), (\d+), (\d+)/.exec(
      (globalThis as any).getComputedStyle(texts[0]).fill,
    ) ?? [0, 0, 0, 0];
    return {
      title: svg.closest('section').querySelector('h2').textContent,
      cells: (parts.length > 0 ? parts : [svg]).map((part) => marksOf(part).length),
      flat: marksOf(svg).filter((mark) => {
        const { width, height } = mark.getBoundingClientRect();
        return width < 0.5 || height < 0.5;
      }).length,
      axisTitles: all(svg, '.role-axis-title text')
        .map((text) => text.textContent)
        .filter(Boolean),
      outside: boxes
        .filter(
          ({ text, box }) =>
            text.endsWith('…') ||
            box.left < frame.left - 1 ||
            box.right > frame.right + 1 ||
            box.top < frame.top - 1 ||
            box.bottom > frame.bottom + 1,
        )
        .map(({ text }) => text),
      // The boxes of slanted texts meet where the texts do not.
      overlapping: boxes
        .filter((_, at) => !/rotate\(-[1-8]/.test(texts[at].getAttribute('transform')))
        .flatMap((one, at) => boxes.slice(at + 1).map((other) => [one, other] as const))
        .filter(([one, other]) => meet(one.box, other.box))
        .map(([one, other]) => `${one.text} | ${other.text}`),
      textLightness: (Number(red) + Number(green) + Number(blue)) / 765,
    };
  });
}
// biome-ignore-end lint/suspicious/noExplicitAny: elements of a page

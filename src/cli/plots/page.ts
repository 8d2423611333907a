/** A part of a page. */
export interface PageSection {
  readonly title: string;
  /** HTML that was made here, with all foreign text escaped. */
  readonly html: string;
}

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .25rem .75rem; text-align: left; border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; overflow-x: auto; }
code { font-family: ui-monospace, monospace; }
`;

/** A page that needs nothing but itself: no script, no style sheet, no font from elsewhere. */
export function htmlPage(title: string, sections: readonly PageSection[]): string {
  const body = sections.map(
    (section) => `<section><h2>${escapeHtml(section.title)}</h2>\n${section.html}\n</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><h1>${escapeHtml(title)}</h1>
${body.join('\n')}
</body></html>
`;
}

/** A table; cells that are numbers are set to the right. */
export function htmlTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const isNumber = head.map((_, at) => rows.length > 0 && rows.every((row) => typeof row[at] === 'number'));
  const cell = (tag: string, value: string | number, at: number) =>
    `<${tag}${isNumber[at] ? ' class="number"' : ''}>${escapeHtml(String(value))}</${tag}>`;
  const line = (tag: string, cells: readonly (string | number)[]) =>
    `<tr>${cells.map((value, at) => cell(tag, value, at)).join('')}</tr>`;
  return `<table>${line('th', head)}${rows.map((row) => line('td', row)).join('')}</table>`;
}

/** An SVG with what it shows, for those who do not see it. */
export function htmlFigure(svg: string, label: string): string {
  return `<figure role="img" aria-label="${escapeHtml(label)}">${svg}</figure>`;
}

/** Text as it may stand in HTML. */
function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (char) => entities[char] ?? char);
}

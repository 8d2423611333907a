// A picture of its own has no page whose colour it could take: it has to look by itself whether it is dark.
const STYLE = '<style>:root{color:#1f2328}@media (prefers-color-scheme:dark){:root{color:#e6edf3}}</style>';

/** A chart as a file of its own, for light and dark. */
export function asPicture(svg: string): string {
  const at = svg.indexOf('>') + 1;
  return `${svg.slice(0, at)}${STYLE}${svg.slice(at)}\n`;
}

/**
 * The target of `rel=next` in a Link header, as written, or `undefined`. Takes the form of RFC 8288 and that of
 * Cloudflare's registry, which forgets the angle brackets.
 */
export function nextLink(header: string | undefined): string | undefined {
  if (!header) return undefined;
  for (const match of header.matchAll(/<([^>]*)>((?:\s*;\s*[^;,]+)*)/g)) {
    if (isNext(match[2] ?? '')) return match[1];
  }
  if (header.includes('<')) return undefined;
  const [target, ...parameters] = header.split(';');
  return isNext(parameters.join(';')) ? target?.trim() : undefined;
}

function isNext(parameters: string): boolean {
  return /(?:^|;|\s)rel\s*=\s*"?(?:[^";]*\s)?next(?:\s[^";]*)?"?\s*(?:;|$)/i.test(parameters);
}

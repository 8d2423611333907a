/** One way to authenticate that a server offers. */
export interface Challenge {
  /** In lower case, for example `bearer`. */
  readonly scheme: string;
  /** Names in lower case; where one comes twice, the first counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

// RFC 9110, section 5.6.2.
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const SPACE = /[ \t]*/y;
const SEPARATORS = /[ \t,]*/y;
// A last quote that is missing ends the value with the header: better a realm that may be refused than none.
const QUOTED = /"((?:[^"\\]|\\[\s\S])*)(?:"|\\?$)/y;

/**
 * Reads `WWW-Authenticate`: several challenges in one header, or several headers that were joined by commas. Never
 * fails; what cannot be read is skipped up to the next comma.
 */
export function parseChallenges(header: string): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match ?? undefined;
  };
  while (at < header.length) {
    take(SEPARATORS);
    if (at >= header.length) break;
    const name = take(TOKEN)?.[0].toLowerCase();
    if (name === undefined) {
      at = afterComma(header, at);
      continue;
    }
    const afterName = at;
    take(SPACE);
    const current = found.at(-1);
    if (current && header[at] === '=') {
      at++;
      take(SPACE);
      const value = parameterValue(take);
      if (value === undefined) at = afterComma(header, at);
      else if (!current.parameters.has(name)) current.parameters.set(name, value);
      continue;
    }
    found.push({ scheme: name, parameters: new Map() });
    // A scheme's single value (`Negotiate YII=`) is of no use here, but must not be taken for a next scheme.
    if (at > afterName && take(TOKEN68)) take(SPACE);
  }
  return found;
}

function parameterValue(take: (pattern: RegExp) => RegExpExecArray | undefined): string | undefined {
  const quoted = take(QUOTED)?.[1];
  if (quoted !== undefined) return quoted.replace(/\\([\s\S])/g, '$1');
  return take(TOKEN)?.[0];
}

function afterComma(header: string, at: number): number {
  const comma = header.indexOf(',', at);
  return comma < 0 ? header.length : comma + 1;
}

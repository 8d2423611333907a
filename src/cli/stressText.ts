import type { KindFinding } from '../store/stress/findings.ts';

/** What was found of a kind, in words. */
export function limitText({ limit, perSecond }: Pick<KindFinding, 'limit' | 'perSecond'>): string {
  const rate = `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)}/s`;
  if (limit === 'cap') return `${rate}, refused above`;
  return limit === 'capacity' ? `${rate}, no more gets through` : `none met up to ${rate}`;
}

import { faultNamed } from './catalogue.ts';
import type { FaultDefinition, FaultSetting } from './definition.ts';
import { FILTERS, Filter } from './filter.ts';
import { GROUPS, KINDS, type Kind } from './kinds.ts';
import { readParams } from './params.ts';
import { seededRandom, seedOf } from './random.ts';
import { type ActiveFault, type CountedPlan, SpecifiedPlan } from './specifiedPlan.ts';
import { badSpec, formatSpecText, parseSpecText } from './specText.ts';
import { unknownWord } from './words.ts';

export interface FaultOptions {
  /** Decides what happens with a probability; the same seed and order of requests give the same faults. @default 1 */
  readonly seed?: number;
  /** The clock of windows, rates and ages, in milliseconds. @default performance.now */
  readonly nowMs?: () => number;
}

/**
 * Makes a plan of faults in the language of `registry serve --fault`, which docs/emulator.md describes. Of several
 * faults that would end one request, the first one listed does.
 *
 * @throws KlosetError USAGE, with one line that says which fault is wrong and how
 */
export function parseFaults(specs: readonly string[], options: FaultOptions = {}): CountedPlan {
  const { seed = 1, nowMs = () => performance.now() } = options;
  const faults = specs.map((spec, index) => parseFault(spec, seededRandom(seedOf(seed, index)), nowMs));
  return new SpecifiedPlan(faults, seed, nowMs);
}

function parseFault(spec: string, random: () => number, nowMs: () => number): ActiveFault {
  const refuse = (why: string): never => {
    throw badSpec(spec, why);
  };
  const text = parseSpecText(spec);
  const definition = faultNamed(text.name, refuse);
  const kinds = readKinds(text.kinds, definition, refuse);
  const strikes = definition.allowed !== 'none';
  const table = strikes ? { ...FILTERS, ...definition.params } : definition.params;
  const values = readParams(text.params, table, refuse);
  if (values.has('nth') && values.has('every')) refuse('nth and every exclude each other');
  const setting: FaultSetting = { name: text.name, values, kinds, nowMs, refuse };
  return {
    spec: formatSpecText(text),
    picks: definition.picks === true,
    filter: new Filter(values, kinds, definition.params, random, nowMs()),
    hooks: definition.make(setting),
  };
}

function readKinds(
  words: readonly string[],
  definition: FaultDefinition,
  refuse: (why: string) => never,
): readonly Kind[] {
  const { name, allowed } = definition;
  if (allowed === 'none') {
    if (words.length > 0) refuse(`${name} is about the registry as a whole: it takes no "@"`);
    return [];
  }
  if (words.length === 0) {
    const mayBeEmpty = definition.kinds.length > 0 || Object.hasOwn(definition.params, 'at');
    return mayBeEmpty
      ? definition.kinds
      : refuse(`it needs a kind of request, for example ${definition.example}`);
  }
  const kinds = new Set<Kind>();
  for (const word of words) {
    const meant = Object.hasOwn(GROUPS, word) ? GROUPS[word] : KINDS.filter((kind) => kind === word);
    if (!meant || meant.length === 0) {
      return refuse(unknownWord(word, 'kind of request', [...KINDS, ...Object.keys(GROUPS)]));
    }
    const fit = meant.filter((kind) => allowed === undefined || allowed.includes(kind));
    if (fit.length === 0) {
      return refuse(`${name} does not go with ${word}; it goes with ${(allowed ?? KINDS).join(', ')}`);
    }
    for (const kind of fit) kinds.add(kind);
  }
  return [...kinds];
}

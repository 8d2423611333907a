import { BREAKING } from './breaking.ts';
import type { FaultDefinition } from './definition.ts';
import { FORGETTING } from './forgetting.ts';
import { LIMITING } from './limiting.ts';
import { ODDITIES } from './oddities.ts';
import { REFUSING, STATUS, statusFault } from './refusing.ts';
import { unknownWord } from './words.ts';

/** Every fault, in the order in which they are documented. */
export const FAULTS: readonly FaultDefinition[] = [
  ...REFUSING,
  ...BREAKING,
  ...LIMITING,
  ...FORGETTING,
  ...ODDITIES,
];

/**
 * The fault of a name.
 *
 * @param refuse ends the parse with what is wrong
 */
export function faultNamed(name: string, refuse: (why: string) => never): FaultDefinition {
  const known = FAULTS.find((fault) => fault.name === name && fault !== STATUS) ?? statusFault(name);
  if (known) return known;
  if (/^\d+$/.test(name)) return refuse(`${name} is no status from 400 to 599`);
  const names = FAULTS.filter((fault) => fault !== STATUS).map((fault) => fault.name);
  return refuse(unknownWord(name, 'fault', names));
}

import { InvalidArgumentError } from 'commander';
import { isKlosetError } from '../errors.ts';
import * as values from '../store/optionValues.ts';

/** The values of options, with errors as commander wants them: it puts the flag's name in front. */
export const parseBytes = asArgument(values.parseBytes);
export const parseCount = asArgument((text) => values.parseCount(text));
export const parseDuration = asArgument(values.parseDuration);
export const parsePort = asArgument(values.parsePort);
export const parseBoolean = asArgument(values.parseBoolean);

/** One of a few words. */
export function parseChoice<T extends string>(text: string, choices: readonly T[]): T {
  return asArgument((value) => values.parseChoice(value, choices))(text);
}

/** A whole number from 1 to `max`. */
export function parseCountTo(max: number): (text: string) => number {
  return asArgument((text) => values.parseCount(text, max));
}

function asArgument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (isKlosetError(error, 'USAGE')) throw new InvalidArgumentError(`${error.summary}.`);
      throw error;
    }
  };
}

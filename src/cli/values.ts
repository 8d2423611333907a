import { InvalidArgumentError } from 'commander';
import { isKlosetError } from '../errors.ts';
import * as values from '../store/optionValues.ts';

/** The values of options, with errors as commander wants them: it puts the flag's name in front. */
export const parseBytes = asArgument(values.parseBytes);
export const parseCount = asArgument(values.parseCount);
export const parseDuration = asArgument(values.parseDuration);
export const parsePort = asArgument(values.parsePort);
export const parseBoolean = asArgument(values.parseBoolean);

/** One of a few words. */
export function parseChoice<T extends string>(text: string, choices: readonly T[]): T {
  return asArgument((value) => values.parseChoice(value, choices))(text);
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

import type { Command } from 'commander';

/** Ends the help of a command with a line to copy. */
export function example(command: Command, line: string): void {
  command.addHelpText('after', `\nExample:\n  ${line}`);
}

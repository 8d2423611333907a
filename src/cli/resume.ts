import { join } from 'node:path';
import type { Command } from 'commander';
import type { EngineOptions } from '../engine/coordinator.ts';
import { stateFolder } from '../engine/stateFolder.ts';

/** The flag of commands that push. */
export interface ResumeFlags {
  /** False with `--no-resume`. */
  readonly resume?: boolean;
}

/** Adds the flag of commands that push. */
export function withResumeFlag(command: Command): Command {
  return command.option(
    '--no-resume',
    'start over: keep no journal of this run, and continue no run that was interrupted before',
  );
}

/** Where the journals of a command are kept. */
export function resumeOptions({ resume }: ResumeFlags): Pick<EngineOptions, 'journalFolder'> {
  return resume === false ? {} : { journalFolder: join(stateFolder(), 'journals') };
}

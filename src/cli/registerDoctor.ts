import type { Command } from 'commander';
import { example } from './example.ts';
import { withStoreFlags } from './storeOptions.ts';
import { parseBytes } from './values.ts';

/** Adds `doctor` to the command line. */
export function registerDoctor(program: Command, location: string): void {
  example(
    withStoreFlags(
      program
        .command('doctor')
        .description(
          'Find out what a registry can do for a store, with small objects of its own that are deleted again.',
        ),
    )
      .argument('<location>', location)
      .option('--max-bytes <size>', 'bound on what is sent and read, in all', parseBytes, 32 * 1024 * 1024)
      .action(async (place, flags) => (await import('./commands/doctor.ts')).doctor(place, flags)),
    'kloset-oci doctor oci://ghcr.io/my-org/backups',
  );
}

import type { Command } from 'commander';
import { example } from './example.ts';
import { withStoreFlags } from './storeOptions.ts';
import { parseBytes, parseCountTo, parseDuration } from './values.ts';

const MAX_REQUESTS = 1_000_000;

/** Adds `bench` to the command line. */
export function registerBench(program: Command, location: string): void {
  example(
    withStoreFlags(
      program
        .command('bench')
        .description(
          'Measure a registry as a store, within bounds and with objects of its own: the speed to expect of backups and restores, and the options to use.',
        ),
    )
      .argument('<location>', location)
      .option('--max-bytes <size>', 'bound on what is sent and read', parseBytes, 640 * 1024 * 1024)
      .option('--max-seconds <time>', 'bound on its time, as 90s or 2m', parseDuration, 120_000)
      .option('--max-requests <n>', 'bound on its requests', parseCountTo(MAX_REQUESTS), 3000)
      .option('--html <file>', 'write a page with plots to FILE')
      .option('--yes', 'do not ask before a host that is not this machine is loaded')
      .action(async (place, flags) => (await import('./commands/bench.ts')).benchRegistry(place, flags)),
    'kloset-oci bench oci://ghcr.io/my-org/backups --html bench.html',
  );
}

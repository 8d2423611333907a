import type { Command } from 'commander';
import { example } from './example.ts';
import { withStoreFlags } from './storeOptions.ts';
import { parseBytes, parseCountTo, parseDuration } from './values.ts';

const MAX_REQUESTS = 1_000_000;

/** Adds `stress` to the command line. */
export function registerStress(program: Command, location: string): void {
  example(
    withStoreFlags(
      program
        .command('stress')
        .description(
          'Load a registry, within bounds and with objects of its own, until it refuses more: finds its limits and the options to use.',
        ),
    )
      .argument('<location>', location)
      .option('--max-requests <n>', 'bound on the requests of the load', parseCountTo(MAX_REQUESTS), 3000)
      .option('--max-seconds <time>', 'bound on its time, as 90s or 2m', parseDuration, 90_000)
      .option('--max-bytes <size>', 'bound on what is sent and read', parseBytes, 256 * 1024 * 1024)
      .option('--report <file>', 'write a page with plots to FILE, and its figures to FILE.json')
      .option('--yes', 'do not ask before a host that is not this machine is loaded')
      .action(async (place, flags) => (await import('./commands/stress.ts')).stressRegistry(place, flags)),
    'kloset-oci stress oci://localhost:5000/my-org/scratch --report stress.html',
  );
}

import type { Command } from 'commander';
import { example } from './example.ts';
import { withConnectionFlags, withOutputFlags } from './storeOptions.ts';

/** Registers `login` and `logout`. */
export function addLoginCommands(program: Command): void {
  example(
    withConnectionFlags(
      program
        .command('login')
        .description('Check a login at a registry and store it where Docker and Podman find it, too.'),
    )
      .argument('<registry>', 'HOST[:PORT]')
      .option('-u, --username <name>', 'user name; asked for without')
      .option('--password-stdin', 'read the password, or the token in its place, from stdin')
      .action(async (registry, flags) => (await import('./commands/login.ts')).login(registry, flags)),
    'kloset-oci login ghcr.io -u me --password-stdin < token.txt',
  );
  example(
    withOutputFlags(
      program.command('logout').description('Erase the login to a registry, wherever it is kept.'),
    )
      .argument('<registry>', 'HOST[:PORT]')
      .action(async (registry, flags) => (await import('./commands/login.ts')).logout(registry, flags)),
    'kloset-oci logout ghcr.io',
  );
}

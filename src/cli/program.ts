import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { OBJECT_TYPES } from '../store/objectNames.ts';
import { example } from './example.ts';
import { addLoginCommands } from './loginCommands.ts';
import { registerBench } from './registerBench.ts';
import { registerDoctor } from './registerDoctor.ts';
import { registerStress } from './registerStress.ts';
import { withRegistryAuthFlags } from './registryAuth.ts';
import { withRegistryProfileFlags } from './registryProfile.ts';
import { withResumeFlag } from './resume.ts';
import { withOutputFlags, withStoreFlags } from './storeOptions.ts';
import { parseBytes, parsePort } from './values.ts';

// Commands load their modules when they run: the time to load them all is longer than `--help` needs.

const LOCATION = 'oci://HOST[:PORT]/REPOSITORY';

/** The command line. */
export function buildProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const program = new Command('kloset-oci')
    .description('Keeps a Plakar Kloset store in any OCI container registry.')
    .version(version)
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.\nErrors and their codes: docs/errors.md',
    );

  example(
    withStoreFlags(
      program
        .command('demo')
        .description(
          'Show the whole way on this machine: embedded registry, push, list, verify, pull, compare.',
        ),
    )
      .option('--size <size>', 'length of the store that is made', parseBytes, 256 * 1024 * 1024)
      .action(async (flags) => (await import('./commands/demo.ts')).demo(flags)),
    'kloset-oci demo --size 64MiB',
  );
  example(
    withResumeFlag(
      withStoreFlags(
        program.command('push').description('Push a Kloset store, a file, or a folder of files.'),
      ),
    )
      .usage('[options] <source...> <location>')
      .argument(
        '<source...>',
        'a Kloset directory, or files and folders (objects are named by 64 hex digits, else by the SHA-256 of their content), then the location',
      )
      .addOption(
        new Option('--type <type>', 'type of objects pushed from files')
          .choices(['packfile', 'state', 'lock'])
          .default('packfile'),
      )
      .action(async (paths: string[], flags) => {
        // commander takes a list only as the last argument, and the location comes last: parted by hand.
        const location = paths.at(-1) ?? '';
        const sources = paths.slice(0, -1);
        if (sources.length === 0) program.error("error: missing required argument 'location'");
        await (await import('./commands/push.ts')).push(sources, location, flags);
      }),
    'kloset-oci push ~/.plakar oci://localhost:5000/my-org/store',
  );
  example(
    withStoreFlags(
      program
        .command('pull')
        .description('Pull a store into a Kloset directory; whole objects that are there are kept.'),
    )
      .argument('<location>', LOCATION)
      .argument('<directory>', 'where to')
      .action(async (location, directory, flags) =>
        (await import('./commands/pull.ts')).pull(location, directory, flags),
      ),
    'kloset-oci pull oci://localhost:5000/my-org/store ./kloset',
  );
  example(
    withResumeFlag(
      withStoreFlags(
        program
          .command('copy')
          .description(
            'Copy a store to another place; what is there already is skipped, locks stay behind. Within one registry blobs are mounted instead of sent.',
          ),
      ),
    )
      .argument('<from>', `${LOCATION}, oci-layout:FOLDER, or a Kloset directory`)
      .argument('<to>', 'the same; a folder that is new becomes a Kloset directory')
      .action(async (from, to, flags) => (await import('./commands/copy.ts')).copy(from, to, flags)),
    'kloset-oci copy ~/.plakar oci-layout:./store-for-the-road',
  );
  example(
    withStoreFlags(program.command('ls').description('List objects with their sizes.'))
      .argument('<location>', LOCATION)
      .addOption(new Option('--type <type>', 'only this type').choices(OBJECT_TYPES))
      .action(async (location, flags) => (await import('./commands/inspect.ts')).ls(location, flags)),
    'kloset-oci ls oci://localhost:5000/my-org/store --type state',
  );
  example(
    withStoreFlags(program.command('stat').description('Count objects and bytes per type.'))
      .argument('<location>', LOCATION)
      .action(async (location, flags) => (await import('./commands/inspect.ts')).stat(location, flags)),
    'kloset-oci stat oci://localhost:5000/my-org/store',
  );
  example(
    withStoreFlags(
      program.command('verify').description('Check that every object is there and has the right size.'),
    )
      .argument('<location>', LOCATION)
      .option('--deep', 'read every object and check its digest')
      .action(async (location, flags) => (await import('./commands/verify.ts')).verify(location, flags)),
    'kloset-oci verify --deep oci://localhost:5000/my-org/store',
  );
  example(
    withStoreFlags(program.command('rm').description('Delete objects.'))
      .argument('<location>', LOCATION)
      .argument('<mac...>', '64 hex digits each')
      .addOption(new Option('--type <type>', 'their type').choices(OBJECT_TYPES).makeOptionMandatory())
      .option('--yes', 'do not ask')
      .action(async (location, macs, flags) =>
        (await import('./commands/change.ts')).rm(location, macs, flags),
      ),
    'kloset-oci rm oci://localhost:5000/my-org/store --type lock 3f…',
  );
  example(
    withStoreFlags(
      program
        .command('create')
        .description('Write the configuration of a new store; refused where there is one.'),
    )
      .argument('<location>', LOCATION)
      .requiredOption('--config <file>', 'the CONFIG of a Kloset store')
      .action(async (location, flags) => (await import('./commands/change.ts')).create(location, flags)),
    'kloset-oci create oci://localhost:5000/my-org/store --config ./kloset/CONFIG',
  );
  registerDoctor(program, LOCATION);
  registerBench(program, LOCATION);
  registerStress(program, LOCATION);
  addLoginCommands(program);
  const registry = program.command('registry').description('The embedded registry.');
  example(
    withRegistryProfileFlags(
      withRegistryAuthFlags(
        withOutputFlags(
          registry.command('serve').description('Run the embedded registry until it is interrupted.'),
        ),
      ),
    )
      .option('--port <port>', 'port, 0 for any free one', parsePort, 5000)
      .option('--host <host>', 'address to listen on', '127.0.0.1')
      .option('--dir <folder>', 'where to keep the content; in memory without')
      .option(
        '--fault <spec>',
        'misbehave like this, for example 429@manifest-write:every=10; repeatable',
        collect,
      )
      .option('--fault-seed <n>', 'decides what happens with a probability (default: 1)')
      .option('--control', 'answer /_kloset-oci/ too: faults, counts and sessions, on loopback addresses')
      .action(async (flags) => (await import('./commands/registryServe.ts')).registryServe(flags)),
    'kloset-oci registry serve --port 5000 --dir ./registry',
  );
  example(
    withOutputFlags(
      registry
        .command('profiles')
        .description('List the registries that `registry serve --profile` can be, and how they differ.'),
    ).action(async (flags) => (await import('./commands/registryProfiles.ts')).registryProfiles(flags)),
    'kloset-oci registry profiles',
  );
  return program;
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

import { CommanderError } from 'commander';
import { asKlosetError, type KlosetError } from '../errors.ts';
import { buildProgram } from './program.ts';

const USAGE_EXIT = 2;

/** Runs the command line and ends the process with its exit status. */
export async function run(argv: readonly string[]): Promise<void> {
  // A reader that leaves early (`| head`) is no failure, and no reason to leave a transfer half done.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const program = buildProgram();
  overrideExits(program);
  const unfinished = () => {
    // Nothing is left that could wake the command up: without this it would end as if it were done.
    process.stderr.write(
      'kloset-oci: [INTERNAL] the command stopped in the middle of its work; please report it.\n',
    );
    process.exit(1);
  };
  process.once('beforeExit', unfinished);
  try {
    await program.parseAsync(argv);
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      process.exitCode = thrown.exitCode === 0 ? 0 : USAGE_EXIT;
      return;
    }
    const error = asKlosetError(thrown);
    report(error, argv);
    process.exitCode = error.exitCode;
  } finally {
    process.off('beforeExit', unfinished);
  }
  // Sockets and threads that linger must not keep a finished command alive.
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  process.exit();
}

function overrideExits(command: ReturnType<typeof buildProgram>): void {
  command.exitOverride();
  for (const child of command.commands) overrideExits(child);
}

function report(error: KlosetError, argv: readonly string[]): void {
  if (argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ event: 'error', code: error.code, message: error.message })}\n`);
  }
  process.stderr.write(`kloset-oci: ${error.message}\n`);
  if (argv.includes('--verbose') || error.code === 'INTERNAL') {
    for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
      process.stderr.write(`  caused by ${cause.name}: ${cause.message}\n`);
    }
  }
}

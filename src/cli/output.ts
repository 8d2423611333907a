/** How a command speaks: for people, as JSON lines, or only when it fails. */
export type OutputMode = 'human' | 'json' | 'quiet';

/** The only place that writes to the terminal: results to stdout, notes and progress to stderr. */
export class Output {
  readonly mode: OutputMode;

  constructor(options: { json?: boolean | undefined; quiet?: boolean | undefined }) {
    this.mode = options.json ? 'json' : options.quiet ? 'quiet' : 'human';
    // A reader that leaves early (`| head`) is no failure.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
    });
  }

  /** A line of the result, for people. */
  line(text: string): void {
    if (this.mode === 'human') process.stdout.write(`${text}\n`);
  }

  /** A JSON line, where they were asked for. */
  event(event: Readonly<Record<string, unknown>>): void {
    if (this.mode === 'json') process.stdout.write(`${JSON.stringify(event)}\n`);
  }

  /** A remark that is not part of the result. */
  note(text: string): void {
    if (this.mode === 'human') process.stderr.write(`${text}\n`);
  }
}

/** How a command speaks: for people, as JSON lines, or only when it fails. */
export type OutputMode = 'human' | 'json' | 'quiet';

/** The only place that writes to the terminal: results to stdout, notes and progress to stderr. */
export class Output {
  readonly mode: OutputMode;
  // No #private field: demo derives an output from this one, and that has to see it too.
  private gone = false;

  constructor(options: { json?: boolean | undefined; quiet?: boolean | undefined }) {
    this.mode = options.json ? 'json' : options.quiet ? 'quiet' : 'human';
    process.stdout.on('error', () => {
      this.gone = true;
    });
  }

  /** True once nobody reads the results any more: a command that only prints may end. */
  get readerGone(): boolean {
    return this.gone;
  }

  /** A line of the result, for people. */
  line(text: string): void {
    if (this.mode === 'human' && !this.gone) process.stdout.write(`${text}\n`);
  }

  /** A JSON line, where they were asked for. */
  event(event: Readonly<Record<string, unknown>>): void {
    if (this.mode === 'json' && !this.gone) process.stdout.write(`${JSON.stringify(event)}\n`);
  }

  /** What the user has to know whatever the result is; not silenced by `--json`, only by `--quiet`. */
  warn(text: string): void {
    if (this.mode !== 'quiet') process.stderr.write(`kloset-oci: warning: ${text}\n`);
  }

  /** What looks odd and stops nothing: a line, or an object with `--json`. */
  remark(text: string): void {
    this.note(text);
    this.event({ event: 'remark', text });
  }

  /** A remark that is not part of the result. */
  note(text: string): void {
    if (this.mode === 'human') process.stderr.write(`${text}\n`);
  }
}

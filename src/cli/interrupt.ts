import { KlosetError } from '../errors.ts';

// Sessions are cancelled within 1.5 s; a registry that does not answer must not hold an interrupted program.
const GRACE_MS = 1800;
const INTERRUPTED_EXIT = 130;

/** A signal that aborts at Ctrl-C or SIGTERM. A second one ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED_EXIT);
    controller.abort(new KlosetError('CANCELLED', 'interrupted'));
    setTimeout(() => process.exit(INTERRUPTED_EXIT), GRACE_MS).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

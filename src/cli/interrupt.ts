import { KlosetError } from '../errors.ts';

// Sessions are cancelled within 1.5 s; a registry that does not answer must not hold an interrupted program.
const GRACE_MS = 1800;
const INTERRUPTED_EXIT = 130;

/**
 * A signal that aborts at Ctrl-C or SIGTERM. A second one ends the process at once.
 *
 * @param graceMs how long the process may take to end by itself
 */
export function interruptSignal(graceMs = GRACE_MS): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED_EXIT);
    controller.abort(new KlosetError('CANCELLED', 'interrupted'));
    setTimeout(() => process.exit(INTERRUPTED_EXIT), graceMs).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

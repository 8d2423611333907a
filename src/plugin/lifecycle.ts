import { asKlosetError } from '../errors.ts';
import type { OpenBackend } from './backend.ts';
import { oneLine } from './callErrors.ts';
import { StoreService } from './storeService.ts';
import type { HostPipes, ServeHost } from './transport.ts';

/** What a plugin is made of. */
export interface PluginParts {
  readonly pipes: HostPipes;
  readonly serveHost: ServeHost;
  readonly openBackend: OpenBackend;
  readonly log: (line: string) => void;
  /** Aborts when the plugin is to end before its host does. */
  readonly stop: AbortSignal;
  /** How long the end may take, in milliseconds, each for the calls under way and for the store. */
  readonly graceMs: number;
}

/**
 * Serves one host until it is gone, or until it is told to stop. Resolves with true when the host ended in order
 * and the store could be ended.
 */
export async function runPlugin(parts: PluginParts): Promise<boolean> {
  const { log, stop, graceMs } = parts;
  const service = new StoreService(parts.openBackend, log);
  const connection = parts.serveHost(parts.pipes, service.handle);
  const onStop = () => void connection.shutdown(graceMs);
  if (stop.aborted) onStop();
  else stop.addEventListener('abort', onStop, { once: true });
  const broken = await connection.closed;
  stop.removeEventListener('abort', onStop);
  if (broken) log(oneLine(broken.message));
  return (await endService(service, log, graceMs)) && !broken;
}

async function endService(
  service: StoreService,
  log: (line: string) => void,
  graceMs: number,
): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => {
    log(`the store could not be ended within ${graceMs / 1000} s; what was under way is given up.`);
    late.resolve(false);
  }, graceMs);
  const closed = service.end().then(
    () => true,
    (error) => {
      log(oneLine(asKlosetError(error).message));
      return false;
    },
  );
  try {
    return await Promise.race([closed, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

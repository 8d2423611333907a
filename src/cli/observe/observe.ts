import type { Output } from '../output.ts';
import type { CommonFlags } from '../storeOptions.ts';
import { addUpWaits, type WaitSeconds } from './waits.ts';

/** What watches a command while it runs. */
export interface Observation {
  waitSeconds(): WaitSeconds;
  stop(): void;
}

/**
 * Starts what `--verbose` and `--metrics-port` ask for, before the first request.
 *
 * @throws KlosetError USAGE where the port cannot be had
 */
export async function observe(flags: CommonFlags, output: Output): Promise<Observation> {
  const waits = addUpWaits();
  const stops = [waits.stop];
  if (flags.verbose) stops.push((await import('./verboseLines.ts')).printVerbose(output));
  if (typeof flags.metricsPort === 'number') {
    const server = await (await import('./metricsServer.ts')).serveMetrics(flags.metricsPort);
    stops.push(server.stop);
    output.note(`metrics at ${server.url}`);
    output.event({ event: 'metrics', url: server.url });
  }
  return {
    waitSeconds: waits.seconds,
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

#!/usr/bin/env node
import module from 'node:module';
import type { ServeHost } from './transport.ts';

// Loading and compiling the modules is most of the time to the first answer; the cache halves it.
module.enableCompileCache?.();

const { logLine } = await import('./log.ts');

// The registry gets its time to cancel sessions; a host that waits for our end does not wait long.
const GRACE_MS = 10_000;
const FAILED_EXIT = 1;

const fail = (thrown: unknown): never => {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  logLine(`the plugin ended: ${text.replace(/\s*[\r\n]+\s*/g, ' ')}`);
  process.exit(FAILED_EXIT);
};
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

const stop = new AbortController();
process.on('SIGINT', () => stop.abort());
process.on('SIGTERM', () => stop.abort());

/** The plugin's own HTTP/2 server, or Node's, for whoever has trouble with ours. */
const loadTransport = async (name: string | undefined): Promise<ServeHost> => {
  if (name === undefined || name === '') return (await import('./http2/server.ts')).serveHost;
  if (name === 'node') return (await import('./nodeTransport.ts')).serveHostOnNode;
  return fail(`KLOSET_OCI_TRANSPORT is "${name}", which is no transport; use "node" or leave it unset.`);
};

const [serveHost, { runPlugin }, { openBackend }] = await Promise.all([
  loadTransport(process.env.KLOSET_OCI_TRANSPORT),
  import('./lifecycle.ts'),
  import('./backend.ts'),
]);

const whole = await runPlugin({
  pipes: { inputFd: 0, outputFd: 1 },
  serveHost,
  openBackend,
  log: logLine,
  stop: stop.signal,
  graceMs: GRACE_MS,
});
// Sockets and threads that linger must not keep a plugin without a host alive.
process.exit(whole ? 0 : FAILED_EXIT);

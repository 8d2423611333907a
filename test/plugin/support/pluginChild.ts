/** The plugin as a process of its own, over a store that takes objects into the heap. */
import { openBackend } from '../../../src/plugin/backend.ts';
import { serveHost } from '../../../src/plugin/http2/server.ts';
import { runPlugin } from '../../../src/plugin/lifecycle.ts';
import { logLine } from '../../../src/plugin/log.ts';
import { serveHostOnNode } from '../../../src/plugin/nodeTransport.ts';
import { memoryObjects } from './memoryObject.ts';

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.on('SIGINT', () => stop.abort());
const whole = await runPlugin({
  pipes: { inputFd: 0, outputFd: 1 },
  serveHost: process.env.KLOSET_OCI_TRANSPORT === 'node' ? serveHostOnNode : serveHost,
  openBackend: (location, options) => ({
    ...openBackend(location, options),
    receive: memoryObjects().receive,
  }),
  log: logLine,
  stop: stop.signal,
  graceMs: 10_000,
});
process.exit(whole ? 0 : 1);

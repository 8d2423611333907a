import { serveHost } from '../../src/plugin/http2/server.ts';
import { serveHostOnNode } from '../../src/plugin/nodeTransport.ts';

/** Both implementations of the interface, by name. */
export const TRANSPORTS = [
  ['own', serveHost],
  ['node', serveHostOnNode],
] as const;

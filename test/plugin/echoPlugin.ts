/** A plugin as plakar starts it: stdin and stdout are the connection. Echoes requests; `/flood` writes without end. */
import { serveHost } from '../../src/plugin/http2/server.ts';
import { serveHostOnNode } from '../../src/plugin/nodeTransport.ts';
import { type Call, GRPC_STATUS } from '../../src/plugin/transport.ts';

async function flood(call: Call): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024);
  while (!call.signal.aborted) await call.write([chunk]);
}

const serve = process.argv[2] === 'node' ? serveHostOnNode : serveHost;
serve({ inputFd: 0, outputFd: 1 }, (call) => {
  if (call.path === '/flood') {
    call.receive({ data() {}, end: () => void flood(call) });
    return;
  }
  call.receive({
    data(bytes) {
      call.write([Buffer.from(bytes)]);
      call.credit(bytes.length);
    },
    end: () => call.end(GRPC_STATUS.OK),
  });
});

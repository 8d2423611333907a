/**
 * Lets programs that speak HTTP/2 over TCP, such as h2spec, talk to a transport of the plugin: every connection gets a
 * pair of real pipes and a server of its own. `node test/support/h2Bridge.ts own|node [port]` runs it alone; then
 * `h2spec -p PORT --timeout 1`.
 */
import { createServer, type Server } from 'node:net';
import { serveHost } from '../../src/plugin/http2/server.ts';
import { serveHostOnNode } from '../../src/plugin/nodeTransport.ts';
import { PipeDuplex } from '../../src/plugin/pipeDuplex.ts';
import { type CallHandler, GRPC_STATUS, type ServeHost } from '../../src/plugin/transport.ts';
import { hostPipes } from './hostPipes.ts';

const BODY = Buffer.from('the answer to a test of the protocol\n');

/** Answers when the request is whole, as a unary call does. */
const answer: CallHandler = (call) => {
  call.receive({
    data: (bytes) => call.credit(bytes.length),
    end: () => {
      call.write([BODY]);
      call.end(GRPC_STATUS.OK);
    },
  });
};

export function bridge(serve: ServeHost): Server {
  return createServer({ noDelay: true }, (socket) => {
    const pipes = hostPipes();
    serve(pipes.plugin, answer);
    const host = new PipeDuplex(pipes.host);
    host.on('error', () => socket.destroy());
    socket.on('error', () => host.destroy());
    socket.pipe(host).pipe(socket);
  });
}

if (import.meta.main) {
  const [which, port = '0'] = process.argv.slice(2);
  const server = bridge(which === 'node' ? serveHostOnNode : serveHost);
  server.listen(Number(port), '127.0.0.1', () => console.log(JSON.stringify(server.address())));
}

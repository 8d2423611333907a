/** A server on loopback that takes what is sent to it and sends as much as it was started with. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const bytes = Number(process.argv[2]);
const piece = Buffer.alloc(1024 * 1024, 7);

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.setHeader('content-length', request.method === 'GET' ? bytes : 0);
    let left = request.method === 'GET' ? bytes : 0;
    const more = () => {
      for (; left > 0; left -= piece.length) {
        if (response.write(left < piece.length ? piece.subarray(0, left) : piece)) continue;
        left -= piece.length;
        response.once('drain', more);
        return;
      }
      response.end();
    };
    more();
  });
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`));

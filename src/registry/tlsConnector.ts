import type { buildConnector } from 'undici';

/**
 * A connector whose sockets end with their first error. After an alert of the server that comes behind the handshake,
 * as the one for a missing client certificate does in TLS 1.3, undici (8.13) goes on to the end of the stream, and then
 * reports that "the other side closed".
 */
export function endingOnFirstError(connect: buildConnector.connector): buildConnector.connector {
  return (target, callback) =>
    connect(target, (...result: Parameters<buildConnector.Callback>) => {
      const [, socket] = result;
      socket?.once('error', (error) => socket.destroy(error));
      callback(...result);
    });
}

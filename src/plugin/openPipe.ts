import { Socket, type SocketConstructorOpts } from 'node:net';
import { KlosetError } from '../errors.ts';

/**
 * A socket over one of the descriptors that connect the plugin with its host.
 *
 * @throws KlosetError USAGE for a terminal or a file, where someone has started the plugin by hand
 */
export function openPipe(options: SocketConstructorOpts): Socket {
  try {
    return new Socket(options);
  } catch (cause) {
    throw new KlosetError('USAGE', 'the plugin needs pipes as its standard input and output', {
      cause,
      remedy: 'It is started by plakar: run plakar with a location that begins with oci://',
    });
  }
}

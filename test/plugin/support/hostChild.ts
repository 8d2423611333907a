/**
 * A host as a process of its own, to be killed: starts the plugin, begins a call at the location in its arguments,
 * and tells when the plugin is in the middle of it.
 */
import { encode, frame } from './grpcClient.ts';
import { startPlugin } from './startPlugin.ts';

const [location = '', kind = ''] = process.argv.slice(2);
const plugin = startPlugin();
const mac = Buffer.alloc(32, 1);
await plugin.client.ok('Init', { proto: 'oci', config: { location, upload_mode: 'chunked' } });
if (kind === 'put') {
  // All of it, so that the plugin is busy with the registry.
  void plugin.client.put(mac, 1, Buffer.alloc(3 << 20, 1));
} else if (kind === 'half-put') {
  const { stream } = plugin.client.open('Put');
  stream.write(frame(encode('PutRequest', { mac, type: 1 })));
  stream.write(frame(encode('PutRequest', { chunk: Buffer.alloc(500_000, 1) })));
} else if (kind === 'get') {
  void plugin.client.call('Get', { mac, type: 1 });
}
console.log(`plugin ${plugin.child.pid}`);

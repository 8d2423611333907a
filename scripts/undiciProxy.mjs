// What the module for proxies takes for `undici`. It is a file of its own, which nobody loads without a proxy.
import connect from 'undici/lib/api/api-connect.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';

// As undici's own index does for all of its methods.
Dispatcher.prototype.connect = connect;

export { Pool } from './undiciPool.mjs';
export { ProxyAgent };

// What the module for proxies takes for `undici`. It is a file of its own, which nobody loads without a proxy.
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';

export { Pool } from './undiciPool.mjs';
export { ProxyAgent };

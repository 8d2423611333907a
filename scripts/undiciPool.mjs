// What bundles take for `undici`: its pool alone, with the connector that the pool has anyway. The package's index also loads fetch, WebSocket, caches and mocks,
// half a megabyte that every start would compile (60 of 150 ms of processor time). A release that moves these files
// fails the build.
import request from 'undici/lib/api/api-request.js';
import buildConnector from 'undici/lib/core/connect.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import Pool from 'undici/lib/dispatcher/pool.js';

// As undici's own index does for all of its methods.
Dispatcher.prototype.request = request;

export { buildConnector, Pool };

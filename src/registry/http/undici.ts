/**
 * What is used of undici, and nothing else of it: its index also loads `fetch`, caches, mocks and interceptors, which is a
 * third of what a `kuik copy` loads.
 */
import connect from 'undici/lib/api/api-connect.js';
import request from 'undici/lib/api/api-request.js';
import buildConnector from 'undici/lib/core/connect.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';

// as the index does; a proxy is asked with CONNECT
Object.assign(Dispatcher.prototype, { connect, request });

export { buildConnector, Pool, ProxyAgent };

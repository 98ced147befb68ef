import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { healthPages, metricsPages, parseBindAddress, servePages, type Pages, type PageServer } from '../../src/telemetry/http.js';

const running: PageServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function serve(pages: Pages): Promise<PageServer> {
  const server = await servePages('127.0.0.1:0', pages);
  if (server === undefined) throw new Error('not served');
  running.push(server);
  return server;
}

async function get(server: PageServer, path: string): Promise<{ status: number; body: string }> {
  const answer = await request(`http://127.0.0.1:${server.port}${path}`);
  return { status: answer.statusCode, body: await answer.body.text() };
}

describe('health', () => {
  test('is alive even when nothing is ready', async () => {
    const server = await serve(healthPages([{ name: 'views', ready: () => 'rules are not synced' }]));

    expect(await get(server, '/healthz')).toEqual({ status: 200, body: 'ok\n' });
  });

  test('names what is not ready, and turns ready by itself', async () => {
    let synced: true | string = 'rules are not synced';
    const server = await serve(healthPages([{ name: 'certificate', ready: () => true }, { name: 'views', ready: () => synced }]));

    expect(await get(server, '/readyz')).toEqual({ status: 503, body: '[+]certificate ok\n[-]views rules are not synced\nnot ready\n' });
    synced = true;
    expect(await get(server, '/readyz')).toEqual({ status: 200, body: '[+]certificate ok\n[+]views ok\nready\n' });
  });

  test('answers 500 when a page throws, and 404 to what it does not serve', async () => {
    const server = await serve({ '/boom': () => Promise.reject(new Error('secret detail')) });

    expect(await get(server, '/boom')).toEqual({ status: 500, body: 'internal error\n' });
    expect(await get(server, '/constructor')).toMatchObject({ status: 404 });
  });

  test.each(['GET //', 'GET http://[', 'GET /%zz', 'OPTIONS *'])('survives the request %s', async (line) => {
    const server = await serve(healthPages([]));

    const socket = connect(server.port, '127.0.0.1');
    socket.end(`${line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);

    expect(await text(socket)).toMatch(/^HTTP\/1.1 40/);
    expect(await get(server, '/healthz')).toMatchObject({ status: 200 });
  });
});

test('metrics are served in the Prometheus text format', async () => {
  const server = await serve(metricsPages({ contentType: 'text/plain; version=0.0.4', text: async () => 'up 1\n' }));

  expect(await get(server, '/metrics?x=1')).toEqual({ status: 200, body: 'up 1\n' });
});

test('the address 0 serves nothing', async () => {
  expect(await servePages('0', {})).toBeUndefined();
});

test.each([
  [':8081', { port: 8081 }],
  ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
  ['[::1]:8080', { host: '::1', port: 8080 }],
])('the address %s is understood', (address, expected) => {
  expect(parseBindAddress(address)).toEqual(expected);
});

test.each(['8081', 'host', 'host:', ':99999', ':http', ''])('the address %j is refused with a hint', (address) => {
  expect(() => parseBindAddress(address)).toThrow(/use host:port/);
});

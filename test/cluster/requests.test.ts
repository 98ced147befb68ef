import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { Requests, type RequestsOptions } from '../../src/cluster/kubernetes/requests.js';
import { secretType, watchedTypes } from '../../src/cluster/kubernetes/resources.js';

type Handler = (request: http.IncomingMessage, answer: http.ServerResponse) => void;

let handler: Handler;
let server: http.Server;
let connections: number;
let requests: Requests;
const listPods = { verb: 'list', type: watchedTypes.Pod } as const;

beforeEach(async () => {
  connections = 0;
  server = http.createServer((request, answer) => handler(request, answer));
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  requests.close();
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

function connect(user: object = { token: 'secret-token' }, options: RequestsOptions = {}, prefix = ''): Requests {
  const config = new KubeConfig();
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`;
  config.loadFromClusterAndUser({ name: 'test', server: address, skipTLSVerify: true }, { name: 'test', ...user });
  return (requests = new Requests(config, options));
}

const answers = (status: number, body: string, headers: http.OutgoingHttpHeaders = {}): Handler => (_request, answer) => answer.writeHead(status, headers).end(body);

describe('requests', () => {
  test('go below the path of the server, with our identity, and with names escaped', async () => {
    let seen: http.IncomingMessage | undefined;
    handler = (request, answer) => {
      seen = request;
      answer.end('{}');
    };
    await connect({ token: 'secret-token' }, {}, '/k8s/clusters/c-1').json({ verb: 'get', type: secretType, namespace: 'a/b', name: '../x', query: { limit: 1, continue: undefined } });

    expect(seen?.url).toBe('/k8s/clusters/c-1/api/v1/namespaces/a%2Fb/secrets/..%2Fx?limit=1');
    expect(seen?.headers).toMatchObject({ authorization: 'Bearer secret-token', accept: 'application/json' });
  });

  test('share connections', async () => {
    handler = answers(200, '{}');
    const api = connect();
    for (let times = 0; times < 5; times += 1) await api.json(listPods);

    expect(connections).toBe(1);
  });

  test('are repeated once on a kept connection that the server has just closed', async () => {
    let asked = 0;
    handler = (request, answer) => {
      asked += 1;
      if (asked === 2) request.socket.destroy();
      else answer.end('{}');
    };
    const api = connect();
    await api.json(listPods);

    await expect(api.json(listPods)).resolves.toEqual({});
    expect(asked).toBe(3);
  });

  test('that create something are never repeated by themselves', async () => {
    let asked = 0;
    handler = (request, answer) => {
      asked += 1;
      if (asked === 2) request.socket.destroy();
      else answer.end('{}');
    };
    const api = connect();
    await api.json(listPods);

    await expect(api.json({ verb: 'create', type: watchedTypes.Pod, namespace: 'a', body: {} })).rejects.toMatchObject({ code: 'unreachable' });
    expect(asked).toBe(2);
  });

  test.each([
    [400, 'invalid'],
    [401, 'unauthorized'],
    [403, 'denied'],
    [404, 'missing'],
    [408, 'timeout'],
    [409, 'conflict'],
    [413, 'too-large'],
    [415, 'unsupported'],
    [422, 'invalid'],
    [429, 'throttled'],
    [500, 'unreachable'],
    [503, 'unreachable'],
    [504, 'timeout'],
  ])('an answer of %d is the failure %s', async (status, code) => {
    handler = answers(status, '{"kind":"Status","message":"because"}');

    await expect(connect().json(listPods)).rejects.toMatchObject({ name: 'Failure', code, side: 'cluster', message: expect.stringContaining('list pods') as unknown });
  });

  test('keep what the server says, and how long it wants to be left alone', async () => {
    handler = answers(429, '{"kind":"Status","message":"too many requests"}', { 'retry-after': '7' });

    await expect(connect().json(listPods)).rejects.toMatchObject({ retryAfterMs: 7000, message: 'API server answered 429 to list pods: too many requests' });
  });

  test('never tell a token', async () => {
    handler = answers(401, 'token secret-token is bad');

    const failure = await connect().json(listPods).catch((error: unknown) => error);
    expect(JSON.stringify([String(failure), failure])).not.toContain('secret-token');
  });

  test.each([
    ['nothing listens', { code: 'unreachable', message: 'API server not reachable to list pods (ECONNREFUSED)' }],
  ])('%s: a failure that says so', async (_what, failure) => {
    const api = connect();
    await new Promise<void>((resolve) => server.close(() => resolve()));

    await expect(api.json(listPods)).rejects.toMatchObject(failure);
  });

  test.each([
    ['no byte comes', { idleMs: 30 }, () => undefined],
    ['bytes come for ever', { answerMs: 60 }, (_request: unknown, answer: http.ServerResponse) => drip(answer)],
  ] as const)('end when %s', async (_when, options, behaviour) => {
    handler = behaviour;

    await expect(connect({}, options).json(listPods)).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('no answer from the API server') as unknown });
  });

  test('an abort passes through as an abort', async () => {
    handler = () => undefined;
    const stop = new AbortController();
    const answer = connect().json({ ...listPods, signal: stop.signal });
    stop.abort();

    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('absence is an answer where it is asked for', async () => {
    handler = answers(404, '{}');

    await expect(connect().jsonOrNothing(listPods)).resolves.toBeUndefined();
  });

  test('a token file is read, and one that was rotated is used', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kuik-token-'));
    const tokenFile = join(folder, 'token');
    const tokens: (string | undefined)[] = [];
    handler = (request, answer) => {
      tokens.push(request.headers.authorization);
      answer.end('{}');
    };

    const api = connect({ authProvider: { name: 'tokenFile', config: { tokenFile } } });
    for (const token of ['first\n', 'second']) {
      writeFileSync(tokenFile, token);
      await api.json(listPods);
    }
    rmSync(folder, { recursive: true });

    expect(tokens).toEqual(['Bearer first', 'Bearer second']);
  });
});

function drip(answer: http.ServerResponse): void {
  const timer = setInterval(() => answer.write(' '), 5);
  answer.on('close', () => clearInterval(timer));
}

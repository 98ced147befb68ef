import { createHash } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { answerReview } from '../../src/webhook/admission.js';
import { allow } from '../../src/webhook/review.js';
import { createAdmissionServer, type AdmissionServer, type ServerDeps } from '../../src/webhook/server.js';
import { issueLeaf, makeAuthority, type KeyPair } from '../../src/webhook/x509.js';
import { silentLog } from './support.js';
import { aPod, aWorld } from './world.js';

const path = '/mutate--v1-pod';
const names = { dns: ['localhost'], ips: ['127.0.0.1'] };
const hour = 3_600_000;

let authority: KeyPair;
let leaf: KeyPair;
beforeAll(async () => {
  authority = await makeAuthority('test', Date.now(), hour);
  leaf = await issueLeaf(authority, names, Date.now(), hour);
});

const servers: AdmissionServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

function aServer(deps: Partial<ServerDeps> = {}): { server: AdmissionServer; reviewed: string[] } {
  const world = aWorld();
  const reviewed: string[] = [];
  const server = createAdmissionServer(
    { answer: (body, timeoutMs) => answerReview(body, timeoutMs, world.deps), observe: { reviewed: (outcome) => reviewed.push(outcome) }, log: silentLog, ...deps },
    leaf,
  );
  servers.push(server);
  return { server, reviewed };
}

const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: 'u-1', operation: 'CREATE', namespace: 'shop', object: aPod('nginx') } };

describe('the server', () => {
  test('answers a review with the same uid, and counts it', async () => {
    const { server, reviewed } = aServer();

    const answer = await server.app.inject({ method: 'POST', url: path, payload: review });

    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: 'u-1', allowed: true, patchType: 'JSONPatch' } });
    expect(reviewed).toEqual(['unchanged']);
  });

  test.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['a number', '7'],
    ['no review', '{"hello":"world"}'],
    ['a review without uid', '{"request":{"operation":"CREATE"}}'],
    ['bytes', '\u0000\u0001'],
    ['something very deep', '['.repeat(100_000)],
    ['something very large', JSON.stringify({ request: { uid: 'u', object: 'x'.repeat(9 * 1024 * 1024) } })],
  ])('answers 400 to %s, and lives on', async (_what, payload) => {
    const { server } = aServer();

    const refused = await server.app.inject({ method: 'POST', url: path, payload, headers: { 'content-type': 'application/json' } });
    const answer = await server.app.inject({ method: 'POST', url: path, payload: review });

    expect([refused.statusCode, answer.statusCode]).toEqual([400, 200]);
  });

  test.each(['application/json', 'text/plain', 'application/json; charset=utf-8'])('reads a review under content type %s', async (type) => {
    const { server } = aServer();

    const answer = await server.app.inject({ method: 'POST', url: path, payload: JSON.stringify(review), headers: { 'content-type': type } });

    expect(answer.statusCode).toBe(200);
  });

  test.each(['__proto__', 'constructor', 'prototype'])('admits a Pod with an annotation named %s', async (key) => {
    const { server } = aServer();
    const payload = JSON.stringify(review).replace('"metadata":{', `"metadata":{"annotations":{"${key}":"x"},`);

    const answer = await server.app.inject({ method: 'POST', url: path, payload, headers: { 'content-type': 'application/json' } });

    expect(answer.json()).toMatchObject({ response: { allowed: true } });
    expect(({} as { x?: string }).x).toBeUndefined();
  });

  test.each([
    ['3s', 3_000],
    ['10s', 10_000],
    ['1m0s', 60_000],
    ['oops', undefined],
    ['-1s', undefined],
  ])('passes on that the API server waits %s', async (timeout, expected) => {
    let seen: number | undefined | 'not asked' = 'not asked';
    const { server } = aServer({
      answer: async (_body, timeoutMs) => {
        seen = timeoutMs;
        return { answer: allow('u'), outcome: 'unchanged' };
      },
    });

    await server.app.inject({ method: 'POST', url: `${path}?timeout=${timeout}`, payload: review });

    expect(seen).toBe(expected);
  });
});

describe('over TLS', () => {
  test.each([false, true])('a review is answered (HTTP/2 allowed: %s)', async (http2) => {
    const { server } = aServer({ http2 });
    const port = await server.listen({ host: '127.0.0.1', port: 0 });
    const agent = new Agent({ connect: { ca: authority.certificate } });

    const answer = await request(`https://127.0.0.1:${port}${path}?timeout=3s`, { method: 'POST', body: JSON.stringify(review), headers: { 'content-type': 'application/json' }, dispatcher: agent });

    expect(await answer.body.json()).toMatchObject({ response: { uid: 'u-1', allowed: true } });
    await agent.close();
  });

  test('a new certificate is served to new connections, while old ones stay open', async () => {
    const { server } = aServer();
    const port = await server.listen({ host: '127.0.0.1', port: 0 });
    const renewed = await issueLeaf(authority, names, Date.now(), hour);
    const old = await open(port);

    server.serve(renewed);
    const young = await open(port);

    expect([printOf(old), printOf(young)]).toEqual([fingerprint(leaf), fingerprint(renewed)]);
    expect(old.destroyed).toBe(false);
    for (const socket of [old, young]) socket.destroy();
  });

  test('closing answers what has arrived, also on connections that are kept alive', async () => {
    let finish: () => void = () => {};
    let asked: () => void = () => {};
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const { server } = aServer({
      answer: () => {
        asked();
        return new Promise((resolve) => (finish = () => resolve({ answer: allow('u-1'), outcome: 'unchanged' })));
      },
    });
    const port = await server.listen({ host: '127.0.0.1', port: 0 });
    const agent = new Agent({ connect: { ca: authority.certificate }, keepAliveTimeout: 600_000 });
    const answer = request(`https://127.0.0.1:${port}${path}`, { method: 'POST', body: JSON.stringify(review), dispatcher: agent });
    await isAsked;

    const closed = server.close();
    finish();

    expect((await answer).statusCode).toBe(200);
    await (await answer).body.dump();
    await closed;
    await agent.close();
  });

  test('a connection that never carries a review does not hold up the end', async () => {
    const { server } = aServer({ lingerMs: 100 });
    const port = await server.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const ended = new Promise((resolve) => socket.once('close', resolve));

    await server.close();

    await ended;
  }, 20_000);

  test('a server that is drained answers everybody, and has each connection end', async () => {
    const { server } = aServer();
    const port = await server.listen({ host: '127.0.0.1', port: 0 });
    const agent = new Agent({ connect: { ca: authority.certificate }, keepAliveTimeout: 600_000 });
    const ask = async (): Promise<[status: number, connection: unknown]> => {
      const { statusCode, headers, body } = await request(`https://127.0.0.1:${port}${path}`, { method: 'POST', body: JSON.stringify(review), dispatcher: agent });
      await body.dump();
      return [statusCode, headers['connection']];
    };
    const before = await ask();

    server.drain();

    expect([before, await ask(), await ask()]).toEqual([[200, 'keep-alive'], [200, 'close'], [200, 'close']]);
    await agent.close();
  });

  test('an address that is taken is an error', async () => {
    const { server } = aServer();
    const port = await server.listen({ host: '127.0.0.1', port: 0 });

    await expect(aServer().server.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

function open(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca: authority.certificate }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function printOf(socket: TLSSocket): string {
  return createHash('sha256').update(socket.getPeerCertificate().raw).digest('hex');
}

function fingerprint({ certificate }: KeyPair): string {
  const der = Buffer.from(certificate.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return createHash('sha256').update(der).digest('hex');
}

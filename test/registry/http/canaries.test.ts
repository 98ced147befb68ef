/** T5, T15, F67: credentials planted everywhere, registries that give away all they get, and nothing of it in what we say. */
import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { recorded } from '../../../src/activities/record.js';
import { failureInfo } from '../../../src/domain/failure.js';
import type { ImageName } from '../../../src/domain/image-ref.js';
import type { Credential } from '../../../src/registry/registry.js';
import { createLog } from '../../../src/telemetry/log.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import type { RecordInput } from '../../../src/temporal/activities.js';
import { toApplicationFailure } from '../../../src/temporal/failures.js';
import type { Fault } from '../../support/fault-registry.js';
import { aBlob, aCall, sourceOf } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt } from '../../support/registry-client.js';

closeAfterEach();

const characters = ['plain', 'with space', 'quo"te', 'back\\slash', 'per%cent', 'sla/sh', 'am&per=sand', 'über', 'colon:s', 'star*.+?(', "apos'trophe", '<angle>', 'semi;colon', 'at@sign', 'hash#tag', 'curly{}', 'dollar$&', 'tab\tbed', 'newest\u0001', 'long'.repeat(20)];
const kinds = ['password', 'identityToken', 'registryToken', 'signature', 'issued'] as const;
const canaries = kinds.flatMap((kind) => characters.map((text, index) => ({ kind, value: fit(kind, `Canary${kind}${index}-${text}`), core: `Canary${kind}${index}-`, index })));

/** A token that is sent as a header has no other characters. */
function fit(kind: string, text: string): string {
  return kind === 'registryToken' || kind === 'issued' ? text.replace(/[^\x21-\x7e]/g, '') : text;
}

/** All a registry knows of a request, in every form it may come back. */
function echoes(secret: string): readonly string[] {
  const base64 = Buffer.from(secret).toString('base64');
  return [secret, encodeURIComponent(secret), base64, Buffer.from(secret).toString('base64url'), `Basic ${base64}`, `Bearer ${secret}`, Buffer.from(`ann:${secret}`).toString('base64'), `https://ann:${secret.replace(/[\s/@]/g, '')}@storage.test/x`, `https://storage.test/x?sig=${secret.replace(/[\s"'<>]/g, '')}`];
}

const refused = (message: string): string => JSON.stringify({ errors: [{ code: 'UNKNOWN', message }] });

describe('credentials that registries give away', () => {
  test.each(canaries)('F67: $kind $value is nowhere', async ({ kind, value, core, index }) => {
    const said: unknown[] = [];
    const isBearer = kind !== 'password';
    // every form meets every kind, three for each canary
    for (const echo of echoes(value).filter((_, form) => form % 3 === index % 3)) {
      const server = await aRegistryServer({ access: isBearer ? { type: 'bearer', accounts: { ann: value }, refreshTokens: { ann: value } } : { type: 'basic', accounts: { ann: value } } });
      for (const fault of faultsOf(kind, value, echo)) server.fault(fault);
      said.push(...(await everythingSaid(server.host, credentialOf(kind, value))));
      await server.close();
    }

    const text = said.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n');
    expect(text).toContain('127.0.0.1'); // something was said
    const parts = [core, Buffer.from(core).toString('base64').slice(0, 12), Buffer.from(`ann:${core}`).toString('base64').slice(0, 16)];
    expect(parts.flatMap((part) => around(text, part))).toEqual([]);
  });

  test('F67: a hundred were planted', () => {
    expect(new Set(canaries.map(({ value }) => value)).size).toBe(100);
  });
});

function credentialOf(kind: (typeof kinds)[number], value: string): Credential {
  const id = 'cccccccccccc';
  if (kind === 'identityToken') return { id, identityToken: value };
  if (kind === 'registryToken') return { id, registryToken: value };
  return { id, username: 'ann', password: value };
}

/** Echo on the registry's side, and for tokens issued or signatures, what the other services say. */
function faultsOf(kind: (typeof kinds)[number], value: string, echo: string): readonly Fault[] {
  const body = refused(`you sent ${echo}`);
  if (kind === 'issued') return [{ on: { route: 'token' }, times: 99, does: { status: 200, body: JSON.stringify({ token: value }) } }, { on: { route: 'manifest' }, from: 2, times: 99, does: { status: 403, body: refused(`token ${echo} may not`) } }];
  if (kind === 'signature') return [{ on: { route: 'manifest' }, times: 99, does: { status: 307, headers: { location: `http://10.0.0.1/x?sig=${encodeURIComponent(value)}` } } }, { on: { route: 'upload' }, times: 99, does: { status: 202, headers: { location: `http://10.0.0.1/u?_state=${encodeURIComponent(value)}` } } }];
  return [{ on: { route: 'manifest' }, from: 2, times: 99, does: { status: 403, body } }, { on: { route: 'token' }, from: 2, times: 99, does: { status: 403, body } }, { on: { route: 'upload' }, times: 99, does: { status: 500, body } }];
}

/** Failures with stack and cause, log lines, events, metrics, what a history and a record would hold. */
async function everythingSaid(host: string, credential: Credential): Promise<readonly unknown[]> {
  const lines: string[] = [];
  const log = createLog({ level: 'debug', encoder: 'json', destination: new Writable({ write: (chunk: Buffer, _encoding, done) => (lines.push(chunk.toString()), done()) }) });
  const metrics = createMetrics({ version: '1', revision: '', built: '' });
  const { registry, events } = aClient();
  const at = refAt({ host }, 'app:1');
  const blob = aBlob('canary', 2000);
  const said: unknown[] = [];
  for (const ask of [
    () => registry.manifest(at, [credential], aCall({ purpose: 'probe' })),
    () => registry.head(at, [credential], aCall({ purpose: 'probe' })),
    () => registry.putBlob(at, blob.descriptor, sourceOf(blob.bytes), [credential], aCall({ purpose: 'probe', side: 'destination' })),
  ]) {
    const error: unknown = await ask().catch((thrown: unknown) => thrown);
    log.error({ err: error, image: 'app:1' }, 'copy failed');
    said.push(describeError(error), describeError(toApplicationFailure(error, 'copyPart')), failureInfo(error), recordedOf(error));
  }
  for (const event of events) {
    log.debug({ event }, 'exchange');
    if (event.type === 'exchange') metrics.registry.requested({ host: event.registry, purpose: event.purpose, result: 'ok', seconds: 1 });
  }
  return [...said, ...events, ...lines, await metrics.text()];
}

/** What is written to the record of an image whose copy failed so. */
function recordedOf(error: unknown): unknown {
  const failure = failureInfo(error);
  if (failure === undefined) return undefined;
  const image = 'registry.test/app:1' as ImageName;
  const input: RecordInput = { v: 1, image, destination: image as unknown as RecordInput['destination'], report: { state: 'failed', failure }, workflowId: 'w', at: '2026-01-01T00:00:00Z' };
  return recorded({ reference: image, role: 'mirror' }, input);
}

/** Where something stands, with what is beside it. */
function around(text: string, part: string): readonly string[] {
  const at = text.indexOf(part);
  return at === -1 ? [] : [text.slice(Math.max(0, at - 120), at + 60)];
}

/** Everything an error carries, causes included. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return { ...error, message: error.message, stack: error.stack, cause: describeError(error.cause) };
}

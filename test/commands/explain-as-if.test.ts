import { describe, expect, test } from '@jest/globals';
import { forgetful, pretending, readAsIf, type AsIf } from '../../src/commands/explain/as-if.js';
import { knownImageRef, placeIdentity } from '../../src/domain/image-ref.js';
import type { Registry } from '../../src/registry/registry.js';
import { aWorld } from '../webhook/world.js';

describe('what is pretended', () => {
  test.each<[string, readonly string[], readonly (readonly [string, string])[]]>([
    ['a registry by its host', ['quay.io=down'], [['quay.io', 'down']]],
    ['one with a port', ['registry.example.com:5000=throttled'], [['registry.example.com:5000', 'throttled']]],
    ['Docker Hub by its other name', ['index.docker.io=down'], [['docker.io', 'down']]],
    ['several', ['quay.io=down', 'localhost=missing'], [['quay.io', 'down'], ['localhost', 'missing']]],
    ['the last word on one of them', ['quay.io=down', 'quay.io=missing'], [['quay.io', 'missing']]],
    ['nothing', [], []],
  ])('%s', (_what, texts, expected) => {
    expect([...(readAsIf(texts) as ReadonlyMap<string, string>)]).toEqual(expected);
  });

  test.each(['quay.io', 'quay.io=', 'quay.io=up', 'quay=down', '=down', '', 'quay.io/acme=down', 'https://quay.io=down', 'QUAY io=down'])('%j is refused', (text) => {
    expect(readAsIf([text])).toMatch(/^--as-if .*write/);
  });
});

describe('a registry in an imagined state', () => {
  const asIf = new Map([['quay.io', 'throttled']] as const);

  test.each([['down', 'Unreachable'], ['throttled', 'QuotaExceeded'], ['missing', 'NotFound'], ['unauthorized', 'InvalidAuth'], ['denied', 'InvalidAuth']])('%s is what a probe would make of it: %s', async (pretence, state) => {
    const head: Registry['head'] = () => Promise.reject(new Error('contacted'));
    const world = aWorld({ registry: pretending({ head }, readAsIf([`quay.io=${pretence}`]) as AsIf) });
    const ref = knownImageRef('quay.io/acme/api:v4');

    expect(await world.deps.prober.ask({ place: placeIdentity(ref), ref, as: [] })).toMatchObject({ state });
  });
  const call = { signal: new AbortController().signal, purpose: 'probe', side: 'source' } as const;

  test('fails as it would, and is not contacted; others answer themselves', async () => {
    const asked: string[] = [];
    const head: Registry['head'] = async ({ host }) => {
      asked.push(host);
      return 'missing';
    };
    const registry = pretending({ head }, asIf);

    await expect(registry.head(knownImageRef('quay.io/acme/api:v4'), [], call)).rejects.toMatchObject({ code: 'throttled', side: 'source', host: 'quay.io', message: 'as if quay.io were throttled' });
    expect(await registry.head(knownImageRef('ghcr.io/acme/api:v4'), [], call)).toBe('missing');
    expect(asked).toEqual(['ghcr.io']);
  });

  test('is not what records saw', () => {
    const world = aWorld();
    const checkedAt = new Date(world.clock.now()).toISOString();
    for (const image of ['quay.io/acme/api:v4', 'ghcr.io/acme/api:v4']) world.record(image, { reference: image, role: 'origin', state: 'Available', checkedAt, identity: 'anonymous' } as never);
    const records = forgetful(world.records, asIf);
    const factOf = (image: string): string | undefined => records.fact(placeIdentity(knownImageRef(image)))?.state;

    expect([factOf('quay.io/acme/api:v4'), factOf('ghcr.io/acme/api:v4')]).toEqual([undefined, 'Available']);
  });
});

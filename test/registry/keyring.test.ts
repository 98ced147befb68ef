import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { matchesGlob } from '../../src/registry/glob.js';
import { credentialId, keyring, secretProblems, type DockerSecret } from '../../src/registry/keyring.js';

function aSecret(auths: Readonly<Record<string, unknown>>, more: Partial<DockerSecret> = {}): DockerSecret {
  return {
    namespace: 'team',
    name: 'pull',
    uid: 'u1',
    resourceVersion: '7',
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })) },
    ...more,
  };
}
const as = (username: string): object => ({ username, password: 'secret' });
const usersFor = (image: string, ...secrets: readonly DockerSecret[]): readonly (string | undefined)[] => keyring(secrets, knownImageRef(image)).map(({ username }) => username);

describe('which key fits', () => {
  test.each([
    ['a host', 'reg.test', 'reg.test/a/b:1', true],
    ['a host with a scheme', 'https://reg.test', 'reg.test/a:1', true],
    ['a host with http', 'http://reg.test', 'reg.test/a:1', true],
    ['a host with an API version', 'https://reg.test/v1/', 'reg.test/a:1', true],
    ['a host with /v2/', 'reg.test/v2/', 'reg.test/a:1', true],
    ['a host with /v2 and no slash, which is a path', 'reg.test/v2', 'reg.test/a:1', false],
    ['another host', 'reg.test', 'other.test/a:1', false],
    ['a path', 'reg.test/team', 'reg.test/team/app:1', true],
    ['a path below an API version', 'reg.test/v2/team', 'reg.test/team/app:1', true],
    ['a path as a plain prefix', 'reg.test/team', 'reg.test/team2/app:1', true],
    ['another path', 'reg.test/team', 'reg.test/other/app:1', false],
    ['a whole repository', 'reg.test/team/app', 'reg.test/team/app:1', true],
    ['a port', 'reg.test:5000', 'reg.test:5000/a:1', true],
    ['a port that is not there', 'reg.test', 'reg.test:5000/a:1', false],
    ['a port that nobody asked for', 'reg.test:5000', 'reg.test/a:1', false],
    ['a star for exactly one label', '*.reg.test', 'eu.reg.test/a:1', true],
    ['a star never for two labels', '*.reg.test', 'a.eu.reg.test/a:1', false],
    ['a star never for none', '*.reg.test', 'reg.test/a:1', false],
    ['a star inside a label', 'eu-*.reg.test', 'eu-west.reg.test/a:1', true],
    ['a question mark', 'eu?.reg.test', 'eu1.reg.test/a:1', true],
    ['a class', 'eu[1-3].reg.test', 'eu2.reg.test/a:1', true],
    ['a class that excludes', 'eu[^1-3].reg.test', 'eu2.reg.test/a:1', false],
    ['an unfinished class fits nothing', 'eu[1.reg.test', 'eu1.reg.test/a:1', false],
    ['an address', '10.0.0.5:5000', '10.0.0.5:5000/a:1', true],
    ['an IPv6 literal', '[2001:db8::1]:5000', '[2001:db8::1]:5000/a:1', true],
  ])('%s: %s for %s', (_sentence, key, image, fits) => {
    expect(usersFor(image, aSecret({ [key]: as('ann') }))).toEqual(fits ? ['ann'] : []);
  });

  test.each(['https://index.docker.io/v1/', 'https://index.docker.io/v2/', 'index.docker.io', 'docker.io', 'registry-1.docker.io', 'https://registry-1.docker.io/v2/'])('%s is the Hub', (key) => {
    expect(usersFor('nginx:1', aSecret({ [key]: as('ann') }))).toEqual(['ann']);
  });

  test('the Hub’s own name wins over its other names', () => {
    expect(usersFor('nginx', aSecret({ 'https://index.docker.io/v1/': as('old'), 'docker.io/library': as('new') }))).toEqual(['new']);
  });

  test('longer paths come first, then the order of the Secrets', () => {
    const first = aSecret({ 'reg.test': as('host'), 'reg.test/team': as('team') });
    const second = aSecret({ 'reg.test': as('second'), 'reg.test/team/app': as('app') }, { name: 'other' });

    expect(usersFor('reg.test/team/app:1', first, second)).toEqual(['app', 'team', 'host', 'second']);
  });

  test('nothing fits: anonymous', () => {
    expect(keyring([aSecret({ 'other.test': as('ann') })], knownImageRef('reg.test/a'))).toEqual([]);
  });
});

describe('what a Secret holds', () => {
  const auth = (pair: string): object => ({ auth: Buffer.from(pair).toString('base64') });
  const first = (entry: unknown): unknown => keyring([aSecret({ 'reg.test': entry })], knownImageRef('reg.test/a'))[0];

  test.each([
    ['a user and a password', as('ann'), { username: 'ann', password: 'secret' }],
    ['a pair in base64', auth('ann:se:cret'), { username: 'ann', password: 'se:cret' }],
    ['a pair without padding', { auth: Buffer.from('ann:secret').toString('base64').replace(/=+$/, '') }, { username: 'ann', password: 'secret' }],
    ['a pair with trailing NULs', auth('ann:secret\0\0'), { username: 'ann', password: 'secret' }],
    ['a pair beside a user: the pair counts, as in the kubelet', { ...as('other'), ...auth('ann:secret') }, { username: 'ann', password: 'secret' }],
    ['an identity token', { ...auth('ann:secret'), identitytoken: 'refresh' }, { username: 'ann', password: 'secret', identityToken: 'refresh' }],
    ['an identity token as docker writes it', auth('<token>:refresh'), { identityToken: 'refresh' }],
    ['a registry token', { registrytoken: 'ready' }, { registryToken: 'ready' }],
  ])('%s', (_sentence, entry, expected) => {
    expect(first(entry)).toMatchObject(expected);
  });

  test('the old form has no auths around it', () => {
    const secret = aSecret({}, { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': Buffer.from(JSON.stringify({ 'reg.test': as('ann') })) } });
    expect(usersFor('reg.test/a', secret)).toEqual(['ann']);
  });

  test('an item that does not decode spoils only itself', () => {
    const secret = aSecret({ 'reg.test': { auth: '!!!' }, 'reg.test/team': as('ann'), 'other.test': { auth: Buffer.from('nocolon').toString('base64') } });

    expect(usersFor('reg.test/team/a', secret)).toEqual(['ann']);
    expect(secretProblems([secret]).map(({ message }) => message)).toEqual(['the item for reg.test does not decode', 'the item for other.test does not decode']);
  });

  test.each([
    ['another type', { type: 'Opaque' }, 'holds no docker credentials'],
    ['no key', { data: {} }, '.dockerconfigjson is missing'],
    ['no JSON', { data: { '.dockerconfigjson': Buffer.from('{') } }, 'is no docker configuration'],
    ['no auths', { data: { '.dockerconfigjson': Buffer.from('{}') } }, 'is no docker configuration'],
  ])('a Secret with %s offers nothing, and says why', (_sentence, more, why) => {
    const secret = aSecret({ 'reg.test': as('ann') }, more);

    expect(usersFor('reg.test/a', secret, aSecret({ 'reg.test': as('other') }))).toEqual(['other']);
    expect(secretProblems([secret])).toEqual([{ secret: { namespace: 'team', name: 'pull' }, message: expect.stringContaining(why) as unknown }]);
  });

  test('problems never show content', () => {
    const secret = aSecret({ 'reg.test': { auth: Buffer.from('canary').toString('base64'), password: 5 } });
    expect(JSON.stringify(secretProblems([secret]))).not.toMatch(/canary|Y2FuYXJ5/);
  });
});

describe('credential identity', () => {
  test('is twelve digits that name a version of a Secret', () => {
    expect(credentialId(aSecret({}))).toMatch(/^[0-9a-f]{12}$/);
    expect(keyring([aSecret({ 'reg.test': as('ann') })], knownImageRef('reg.test/a'))[0]?.id).toBe(credentialId(aSecret({})));
  });

  test.each([['namespace'], ['name'], ['uid'], ['resourceVersion']] as const)('changes with the %s', (field) => {
    expect(credentialId(aSecret({}, { [field]: 'changed' }))).not.toBe(credentialId(aSecret({})));
  });

  test('knows nothing of the content', () => {
    expect(credentialId(aSecret({ 'reg.test': as('ann') }))).toBe(credentialId(aSecret({ 'reg.test': as('bob') })));
  });
});

describe('shell patterns', () => {
  test('a text without special characters fits itself alone', () => {
    const label = fc.stringMatching(/^[a-z0-9-]{0,20}$/);
    fc.assert(fc.property(label, label, (one, other) => matchesGlob(one, other) === (one === other)));
  });

  test('a star fits what stands between', () => {
    const label = fc.stringMatching(/^[a-z0-9-]{0,20}$/);
    fc.assert(fc.property(label, label, label, (head, middle, tail) => matchesGlob(`${head}*${tail}`, head + middle + tail)));
  });

  test('a hostile pattern ends', () => {
    expect(matchesGlob(`${'*a'.repeat(30)}b`, 'a'.repeat(63))).toBe(false);
  });
});

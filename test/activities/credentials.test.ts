import { describe, expect, test } from '@jest/globals';
import { createCredentials, type CredentialSources } from '../../src/activities/credentials.js';
import type { Secret } from '../../src/domain/secret.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import type { Rule, SecretRef } from '../../src/domain/rule.js';
import type { Subject } from '../../src/temporal/activities.js';
import { aCopy, aMirrorRule, aPod, aRecord, aReplicaRule } from '../support/builders.js';
import { nginx, place } from '../support/keeper.js';

const push: SecretRef = { namespace: 'kuik', name: 'push' };
const rule = aMirrorRule({ mirrors: [{ credentialSecret: push }] });
const other = aMirrorRule({ name: 'other', mirrors: [{ credentialSecret: push }] });
const stale: SecretRef = { namespace: 'kuik', name: 'stale' };
const tenant = aMirrorRule({ namespace: 'shop', name: 'tenant' });
const subject: Subject = { v: 1, destination: place, publishAs: place as string as ImageName, image: nginx, rules: [rule.id] };

/** Each Secret is one credential, named after it. */
function sources(some: Partial<CredentialSources> & { readonly secrets?: readonly string[] } = {}): CredentialSources {
  const known = some.secrets ?? ['kuik/push', 'shop/pull', 'kuik/upstream', 'kuik/fallback'];
  return {
    rules: () => [rule],
    record: () => undefined,
    podsUsing: () => [],
    secret: async ({ namespace, name }) => (known.includes(`${namespace}/${name}`) ? ({ namespace, name } as Secret) : undefined),
    keyring: (secrets) => secrets.map(({ namespace, name }) => ({ id: `${namespace}/${name}` })),
    fallback: () => undefined,
    ...some,
  };
}

const ids = async (found: Promise<readonly { readonly id: string }[]>): Promise<string[]> => (await found).map(({ id }) => id);

describe('a copy is written with', () => {
  test.each<[string, CredentialSources, string[]]>([
    ['the Secret of the mirror', sources(), ['kuik/push']],
    ['nothing when the mirror names none', sources({ rules: () => [aMirrorRule()] }), []],
    ['the Secret of the rule that was made again under the same name', sources({ rules: () => [aMirrorRule({ uid: 'another', mirrors: [{ credentialSecret: push }] })] }), ['kuik/push']],
    ['the Secret of the rule that the record names, when the one named is gone', sources({ rules: () => [other], record: () => aRecord({ places: [aCopy(place, { rule: 'ClusterImageSetMirror/other', secret: stale })] }) }), ['kuik/push']],
    ['the Secret on the record, when no rule is left', sources({ rules: () => [], record: () => aRecord({ places: [aCopy(place, { secret: push })] }) }), ['kuik/push']],
    ['the Secret on the record, when its rule is gone and another one keeps copies there', sources({ rules: () => [aMirrorRule({ name: 'other', mirrors: [{ credentialSecret: stale }] })], record: () => aRecord({ places: [aCopy(place, { rule: 'ClusterImageSetMirror/main', secret: push })] }) }), ['kuik/push']],
  ])('%s', async (_sentence, from, wanted) => {
    expect(await ids(createCredentials(from).destination(subject))).toEqual(wanted);
  });

  test('the Secret of any rule that keeps copies there, when nothing is asked for but to keep what is there', async () => {
    const of = { ...subject, rules: [] };

    expect(await ids(createCredentials(sources({ rules: () => [other] })).destination(of))).toEqual(['kuik/push']);
    expect(createCredentials(sources({ rules: () => [other] })).prefix(of)).toBe('registry.example.com/mirror');
  });

  test.each<[string, CredentialSources, Subject, string]>([
    ['was asked for by a rule that is gone, and is held by another rule only', sources({ rules: () => [other] }), { ...subject, rules: [tenant.id] }, 'no rule or record of this cluster holds'],
    ['no rule and no record of this cluster holds', sources({ rules: () => [] }), subject, 'no rule or record of this cluster holds'],
    ['is another place than the rule makes of the image', sources(), { ...subject, destination: 'registry.example.com/mirror/library/redis:7' as never }, 'no rule or record of this cluster holds'],
    ['only looks like being below the prefix', sources(), { ...subject, destination: 'registry.example.com/mirror-b/library/nginx:1.27' as never }, 'no rule or record of this cluster holds'],
    ['is only a replica in the record', sources({ rules: () => [], record: () => aRecord({ places: [{ reference: place, role: 'replica' }] }) }), subject, 'no rule or record of this cluster holds'],
    ['needs a Secret that does not exist', sources({ secrets: [] }), subject, 'secret kuik/push does not exist'],
  ])('nothing at all, when the destination %s', async (_sentence, from, of, message) => {
    const failure = await createCredentials(from).destination(of).catch((error: unknown) => error);

    expect(failure).toMatchObject({ name: 'Failure', side: 'destination' });
    expect(String(failure)).toContain(message);
  });
});

describe('who holds the destination', () => {
  const holder = (...rules: readonly Rule[]): string => createCredentials(sources({ rules: () => rules })).holder(subject);

  test('is somebody else when the rule was made again, or names another Secret', () => {
    const again = aMirrorRule({ uid: 'another', mirrors: [{ credentialSecret: push }] });
    const changed = aMirrorRule({ mirrors: [{ credentialSecret: stale }] });

    expect(new Set([rule, again, changed].map((each) => holder(each))).size).toBe(3);
  });

  test('stays the same when another rule comes or goes', () => {
    expect(holder(other, rule)).toBe(holder(rule));
  });

  test('is nobody once the rule is gone', () => {
    expect(() => holder()).toThrow('no rule or record of this cluster holds');
  });
});

describe('a source is read with', () => {
  const upstream: SecretRef = { namespace: 'kuik', name: 'upstream' };
  const replica = aReplicaRule({ upstreams: [{ registry: 'docker.io' }, { registry: 'replica.example.com', credentialSecret: upstream }] });
  const elsewhere = 'replica.example.com/library/nginx:1.27' as ImageName;
  const pods = () => [aPod({ namespace: 'shop', pullSecrets: ['pull', 'gone'] }), aPod({ namespace: 'shop', name: 'web-2', pullSecrets: ['pull'] })];

  test.each<[string, ImageName, CredentialSources, string[]]>([
    ['nothing when nobody has a Secret', nginx, sources(), []],
    ['those of the Pods that use the image, each once, missing ones skipped', nginx, sources({ podsUsing: pods }), ['shop/pull']],
    ['those of Pods in scope of the rule only', nginx, sources({ podsUsing: pods, rules: () => [aMirrorRule({ pods: { include: { namespaces: [/prod/] } } })] }), []],
    ['the Secret of an upstream first, the fallback of the host last', elsewhere, sources({ podsUsing: pods, rules: () => [rule, replica], fallback: () => ({ namespace: 'kuik', name: 'fallback' }) }), ['kuik/upstream', 'shop/pull', 'kuik/fallback']],
    ['no Secret of another upstream', nginx, sources({ rules: () => [rule, replica] }), []],
  ])('%s', async (_sentence, of, from, wanted) => {
    expect(await ids(createCredentials(from).source(of, subject))).toEqual(wanted);
  });

  const both = () => [aPod({ namespace: 'shop', pullSecrets: ['pull'] }), aPod({ namespace: 'bank', pullSecrets: ['pull'] })];
  const secrets = ['shop/pull', 'bank/pull'];
  const kept = aRecord({ places: [aCopy(place, { rule: 'ImageSetMirror/shop/tenant', secret: push })] });
  test.each<[string, Partial<CredentialSources>, Subject['rules'], string[]]>([
    ['all Pods that use the image, when the rule of the whole cluster is gone', { rules: () => [] }, [rule.id], ['bank/pull', 'shop/pull']],
    ['Pods of its namespace only, when the rule of a namespace is gone', { rules: () => [] }, [tenant.id], ['shop/pull']],
    ['Pods of its namespace only, when the rule of a namespace was made again', { rules: () => [aMirrorRule({ namespace: 'shop', name: 'tenant', uid: 'another' })] }, [tenant.id], ['shop/pull']],
    ['Pods of the namespace whose rule the record names, when nothing else is known', { rules: () => [], record: () => kept }, [], ['shop/pull']],
  ])('the Secrets of %s', async (_sentence, some, named, wanted) => {
    const from = sources({ podsUsing: both, secrets, ...some });

    expect(await ids(createCredentials(from).source(nginx, { ...subject, rules: named }))).toEqual(wanted);
  });
});

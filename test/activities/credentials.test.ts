import { describe, expect, test } from '@jest/globals';
import { createCredentials, type CredentialSources } from '../../src/activities/credentials.js';
import type { Secret } from '../../src/cluster/cluster.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import type { SecretRef } from '../../src/domain/rule.js';
import type { Subject } from '../../src/temporal/activities.js';
import { aCopy, aMirrorRule, aPod, aRecord, aReplicaRule } from '../support/builders.js';
import { nginx, place } from '../support/keeper.js';

const push: SecretRef = { namespace: 'kuik', name: 'push' };
const rule = aMirrorRule({ mirrors: [{ credentialSecret: push }] });
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
    ['the Secret of any rule that wants the same place, when the one named is gone', sources({ rules: () => [aMirrorRule({ name: 'other', mirrors: [{ credentialSecret: push }] })] }), ['kuik/push']],
    ['the Secret on the record, when no rule is left', sources({ rules: () => [], record: () => aRecord({ places: [aCopy(place, { secret: push })] }) }), ['kuik/push']],
  ])('%s', async (_sentence, from, wanted) => {
    expect(await ids(createCredentials(from).destination(subject))).toEqual(wanted);
  });

  test.each<[string, CredentialSources, Subject, string]>([
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
});

import { describe, expect, test } from '@jest/globals';
import { createCheckCredentials, type CheckCredentialSources } from '../../src/activities/monitor-credentials.js';
import type { Secret } from '../../src/domain/secret.js';
import { Failure, type FailureCode } from '../../src/domain/failure.js';
import { knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import type { SecretRef } from '../../src/domain/rule.js';
import type { Pod } from '../../src/domain/usage.js';
import { aMonitorRule, aPod, aTemplate, brokenFilter } from '../support/builders.js';
import { nginx } from '../support/keeper.js';

interface Situation extends Partial<CheckCredentialSources> {
  readonly pods?: readonly Pod[];
  /** those that exist */
  readonly secrets?: readonly string[];
  readonly fallbackSecret?: SecretRef;
  readonly refuses?: FailureCode;
}

const mirrorPull: SecretRef = { namespace: 'kuik', name: 'fallback' };
const pod = (namespace: string, name: string, ...pullSecrets: string[]): Pod => aPod({ namespace, name, pullSecrets });
const template = (namespace: string, name: string, ...pullSecrets: string[]): Pod => aTemplate('CronJob', { namespace, name, pullSecrets });
const prodOnly = aMonitorRule({ name: 'prod', pods: { include: { namespaces: [/prod/] } } });

/** Each Secret is one credential, named after it; of one whose name says so, for some other registry. */
function accessOf({ pods = [], secrets = [], fallbackSecret, refuses, ...some }: Situation, images: readonly ImageName[] = [nginx]) {
  const sources: CheckCredentialSources = {
    rules: () => [aMonitorRule({ pods: { exclude: { namespaces: [/sandbox/] } } })],
    podsUsing: () => pods,
    trackedBy: () => ['main'],
    secret: async ({ namespace, name }) => {
      if (refuses !== undefined) throw new Failure({ code: refuses, side: 'cluster', message: 'no' });
      return secrets.includes(`${namespace}/${name}`) ? ({ namespace, name } as Secret) : undefined;
    },
    unusable: ({ name }) => (name.endsWith('-broken') ? 'key .dockerconfigjson is no docker configuration' : undefined),
    keyring: (found) => found.filter(({ name }) => !name.endsWith('-elsewhere') && !name.endsWith('-broken')).map(({ namespace, name }) => ({ id: `${namespace}/${name}` })),
    fallback: () => fallbackSecret,
    ...some,
  };
  return createCheckCredentials(sources)(images, knownImageRef(images[0]!));
}

describe('an image is checked', () => {
  test.each<[string, Situation, string[], string | undefined]>([
    ['anonymously, when nobody names a Secret', { pods: [pod('shop', 'web')] }, [], undefined],
    ['with all Secrets of one Pod that uses it', { pods: [pod('shop', 'web', 'a', 'b')], secrets: ['shop/a', 'shop/b'] }, ['shop/a', 'shop/b'], undefined],
    ['with those of the first Pod by namespace and name', { pods: [pod('shop', 'b', 'second'), pod('shop', 'a', 'first'), pod('blog', 'z', 'blog')], secrets: ['shop/first', 'shop/second', 'blog/blog'] }, ['blog/blog'], undefined],
    ['with those of the next Pod, when one of them is missing', { pods: [pod('blog', 'web', 'there', 'gone'), pod('shop', 'web', 'pull')], secrets: ['blog/there', 'shop/pull'] }, ['shop/pull'], undefined],
    ['never with those of a Pod out of scope', { pods: [pod('sandbox', 'web', 'pull')], secrets: ['sandbox/pull'] }, [], undefined],
    [
      'never with those of a Pod that only rules see that do not select the image',
      { pods: [pod('dev', 'web', 'pull'), pod('prod', 'web', 'pull')], secrets: ['dev/pull', 'prod/pull'], rules: () => [prodOnly, aMonitorRule({ name: 'quay', images: { include: [/quay\.io\/.+/] } })] },
      ['prod/pull'],
      undefined,
    ],
    ['with those of a template, when no Pod is there', { pods: [template('shop', 'nightly', 'pull')], secrets: ['shop/pull'] }, ['shop/pull'], undefined],
    ['with those of a Pod before those of any template', { pods: [template('blog', 'nightly', 'pull'), pod('shop', 'web', 'pull')], secrets: ['blog/pull', 'shop/pull'] }, ['shop/pull'], undefined],
    ['never with those of a template whose rule does not track the image: no Pod brought it in', { pods: [template('shop', 'nightly', 'pull')], secrets: ['shop/pull'], trackedBy: () => ['another'] }, [], undefined],
    ['with the fallback of its registry, when no Pod names a Secret', { pods: [pod('shop', 'web')], secrets: ['kuik/fallback'], fallbackSecret: mirrorPull }, ['kuik/fallback'], undefined],
    [
      'anonymously, when what a Pod names is no docker configuration, which is told: it may be why the registry refuses',
      { pods: [pod('shop', 'web', 'elsewhere-elsewhere', 'pull-broken')], secrets: ['shop/elsewhere-elsewhere', 'shop/pull-broken'] },
      [],
      'secret shop/pull-broken: key .dockerconfigjson is no docker configuration',
    ],
    ['with those of one Pod that fit, beside one that is no docker configuration', { pods: [pod('shop', 'web', 'pull-broken', 'pull')], secrets: ['shop/pull-broken', 'shop/pull'] }, ['shop/pull'], undefined],
    ['with the fallback, when what Pods name cannot be read', { pods: [pod('shop', 'web', 'gone')], secrets: ['kuik/fallback'], fallbackSecret: mirrorPull }, ['kuik/fallback'], undefined],
    [
      'with the fallback, when what Pods name is for other registries only, as the Secret of a mirror is that kuik gave them',
      { pods: [pod('shop', 'web', 'kuik-elsewhere')], secrets: ['shop/kuik-elsewhere', 'kuik/fallback'], fallbackSecret: mirrorPull },
      ['kuik/fallback'],
      undefined,
    ],
    [
      'with those of the next Pod, when all of one are for other registries',
      { pods: [pod('blog', 'web', 'ghcr-elsewhere'), pod('shop', 'web', 'ghcr-elsewhere', 'pull')], secrets: ['blog/ghcr-elsewhere', 'shop/ghcr-elsewhere', 'shop/pull'] },
      ['shop/pull'],
      undefined,
    ],
    ['anonymously, when all Secrets are for other registries', { pods: [pod('shop', 'web', 'ghcr-elsewhere')], secrets: ['shop/ghcr-elsewhere'] }, [], undefined],
    [
      'anonymously, and it is said why, when one cannot be read and the others are for other registries',
      { pods: [pod('blog', 'web', 'gone'), pod('shop', 'web', 'ghcr-elsewhere')], secrets: ['shop/ghcr-elsewhere'] },
      [],
      'secret blog/gone not found',
    ],
    ['anonymously, and it is said why, when no Secret can be read', { pods: [pod('shop', 'web', 'gone')], fallbackSecret: mirrorPull }, [], 'secret shop/gone not found'],
    ['anonymously, and it is said why, when the fallback is missing', { fallbackSecret: mirrorPull }, [], 'secret kuik/fallback not found'],
    ['anonymously, and it is said why, when a Secret may not be read', { pods: [pod('shop', 'web', 'pull')], refuses: 'denied' }, [], 'secret shop/pull cannot be read'],
    ['anonymously for a rule that nobody can read', { pods: [pod('shop', 'web', 'pull')], secrets: ['shop/pull'], rules: () => [aMonitorRule({ problems: [brokenFilter] })] }, [], undefined],
  ])('%s', async (_sentence, situation, expected, problem) => {
    const { as, ...rest } = await accessOf(situation);

    expect(as.map(({ id }) => id)).toEqual(expected);
    expect(rest.problem).toBe(problem);
  });

  test('not at all while the API server is away: that is no matter of a Secret', async () => {
    await expect(accessOf({ pods: [pod('shop', 'web', 'pull')], refuses: 'unreachable' })).rejects.toMatchObject({ code: 'unreachable', side: 'cluster' });
  });

  test('that goes by two names with Secrets of the Pods of each that a rule selects by that name', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const tagged = `docker.io/library/nginx:1.27@${digest}` as ImageName;
    const other = `docker.io/library/nginx:1.28@${digest}` as ImageName;
    const used = new Map([[tagged, [pod('blog', 'web', 'pull')]], [other, [pod('shop', 'web', 'pull')]]]);

    const { as } = await accessOf({ rules: () => [aMonitorRule({ images: { include: [/.*:1\.28/] } })], podsUsing: (image) => used.get(image) ?? [], secrets: ['blog/pull', 'shop/pull'] }, [tagged, other]);

    expect(as).toEqual([{ id: 'shop/pull' }]);
  });

  test('with one look at the Secrets that a thousand Pods of a workload share', async () => {
    let reads = 0;
    const pods = Array.from({ length: 1000 }, (_, index) => pod('shop', `web-${index}`, 'gone'));

    await accessOf({ pods, secret: async () => (reads++, undefined) });

    expect(reads).toBe(1);
  });
});

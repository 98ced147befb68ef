import { describe, expect, test } from '@jest/globals';
import { asWritten, podsIn } from '../../src/commands/explain/pods.js';
import { explanationOf, printExplanation } from '../../src/commands/explain/report.js';
import type { ConsideredPlace, UsageDecision } from '../../src/webhook/pod-decision.js';
import { aCandidate, aPod } from '../support/builders.js';

const template = 'template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: nginx}]}}';

describe('which Pods manifests describe', () => {
  test.each([
    ['a Pod', '{kind: Pod, metadata: {name: web}, spec: {containers: [{name: web, image: nginx}]}}', ['shop/web']],
    ['a Deployment', `{kind: Deployment, metadata: {name: web}, spec: {${template}}}`, ['shop/deployment/web']],
    ['a CronJob', `{kind: CronJob, metadata: {name: nightly}, spec: {jobTemplate: {spec: {${template}}}}}`, ['shop/cronjob/nightly']],
    ['an object with a namespace of its own', `{kind: DaemonSet, metadata: {name: web, namespace: other}, spec: {${template}}}`, ['other/daemonset/web']],
    ['a list', `{kind: List, items: [{kind: Job, metadata: {name: once}, spec: {${template}}}]}`, ['shop/job/once']],
    ['a typed list, whose items need not say what they are', `{kind: DeploymentList, items: [{metadata: {name: web}, spec: {${template}}}]}`, ['shop/deployment/web']],
    ['a workload of a kind nobody here knows', `{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: web}, spec: {${template}}}`, ['shop/rollout/web']],
    ['a template by itself', `{kind: PodTemplate, metadata: {name: web}, ${template}}`, ['shop/podtemplate/web']],
    ['a Pod whose name the API server finishes', '{kind: Pod, metadata: {generateName: web-}, spec: {containers: []}}', ['shop/web-*']],
    ['a template of something else', '{kind: Certificate, metadata: {name: c}, spec: {template: {spec: {containers: none}}}}', []],
    ['several documents, of which some are about something else', `kind: Service\n---\nkind: Pod\nmetadata: {name: a}\n---\n`, ['shop/a']],
    ['nothing', '', []],
    ['no object at all', '7', []],
  ])('%s', (_what, manifest, keys) => {
    expect(podsIn(manifest, 'shop').map(({ pod }) => pod.key)).toEqual(keys);
  });

  test('what is not YAML is said to be so', () => {
    expect(() => podsIn('a: [', 'shop')).toThrow(/at line 1/);
  });
});

describe('a Pod that is there', () => {
  const notes = (originals: object, reasons?: object) => ({ 'kuik.enix.io/original-images': JSON.stringify(originals), ...(reasons && { 'kuik.enix.io/reason': JSON.stringify(reasons) }) });

  test.each<[string, Record<string, string>, Record<string, string>, string[]]>([
    ['was rewritten: by what its user wrote', { web: 'mirror.example.com/nginx:1' }, notes({ web: 'nginx:1' }, { web: 'PlacePreferred' }), ['nginx:1']],
    ['was rewritten by v2, which noted no reason', { web: 'mirror.example.com/nginx:1' }, notes({ web: 'nginx:1' }), ['nginx:1']],
    ['was decided and stayed as it was', { web: 'nginx:1' }, notes({ web: 'nginx:1' }, { web: 'OriginAvailable' }), ['nginx:1']],
    ['names a container that its user keeps out: not that one', { web: 'mirror.example.com/nginx:1', side: 'redis:7' }, notes({ web: 'nginx:1', side: 'redis:7' }, { web: 'PlacePreferred' }), ['nginx:1']],
    ['was admitted while kuik was away: as it is', { web: 'nginx:1' }, {}, ['nginx:1']],
  ])('%s', (_sentence, images, annotations, expected) => {
    expect(asWritten(aPod({ images, annotations })).map(({ written }) => written)).toEqual(expected);
  });
});

describe('what is printed', () => {
  const usage = aPod().usages[0]!;
  const origin: ConsideredPlace = { candidate: aCandidate('origin'), verdict: 'unavailable', fact: { state: 'QuotaExceeded', identity: 'anonymous', checkedAt: 0, tookMs: 12.4, message: 'asked to wait' } };
  const mirror: ConsideredPlace = {
    candidate: aCandidate('mirror', { rule: { kind: 'ClusterImageSetMirror', name: 'main', uid: 'u' } }),
    verdict: 'chosen',
    fact: { state: 'Available', identity: '0123456789ab', checkedAt: 0, tookMs: 3, digest: `sha256:${'c'.repeat(64)}` as never },
  };
  const decision: UsageDecision = { usage, verdict: 'rewrite', reason: 'OriginUnavailable', image: mirror.candidate.text, to: mirror.candidate, pullSecret: 'mirror-pull', places: [origin, mirror] };

  test('every place in order, what is known of it, with whose credentials, and the verdict', async () => {
    const explanation = await explanationOf({ pod: aPod(), decision: { usages: [decision] }, now: 0 }, async () => new Map([['0123456789ab', 'shop/mirror-pull']]));

    expect(printExplanation(explanation)).toBe(
      `pod shop/web-1
container web   nginx:1.27  ->  mirror.example.com/library/nginx:1.27   OriginUnavailable
  with Secret mirror-pull
  PLACE                                   RULE                         VERDICT       WHY
  docker.io/library/nginx:1.27            (origin)                     unavailable   QuotaExceeded in 12 ms anonymously, asked to wait
  mirror.example.com/library/nginx:1.27   ClusterImageSetMirror/main   chosen        available in 3 ms as shop/mirror-pull, sha256:cccccccc
`,
    );
  });

  test('-o wide tells in columns what was found there, and by whom, with the whole digest', async () => {
    const explanation = await explanationOf({ pod: aPod(), decision: { usages: [decision] }, now: 0 }, async () => new Map([['0123456789ab', 'shop/mirror-pull']]));

    expect(printExplanation(explanation, 'wide')).toContain(
      `
  PLACE                                   RULE                         VERDICT       STATE           AS                 TOOK    DIGEST                                                                    WHY
  docker.io/library/nginx:1.27            (origin)                     unavailable   QuotaExceeded   anonymous          12 ms                                                                             QuotaExceeded in 12 ms anonymously, asked to wait
  mirror.example.com/library/nginx:1.27   ClusterImageSetMirror/main   chosen        Available       shop/mirror-pull   3 ms    sha256:${'c'.repeat(64)}   available in 3 ms as shop/mirror-pull, sha256:cccccccc
`,
    );
  });

  test('why a place was not even asked', async () => {
    const places: ConsideredPlace[] = [{ candidate: mirror.candidate, verdict: 'skipped', passedOver: 'PlatformMissing' }, { candidate: aCandidate('other'), verdict: 'unasked' }];

    const { containers } = await explanationOf({ pod: aPod(), decision: { usages: [{ ...decision, places }] }, now: 0 }, async () => new Map());

    expect(containers[0]?.places.map(({ why }) => why)).toEqual(['lacks the platform the Pod asks for', 'nothing it says could change the choice']);
  });

  test('a Pod that is left alone as a whole', async () => {
    expect(printExplanation(await explanationOf({ pod: aPod({ name: 'deployment/web' }), decision: { skipped: 'PodIgnored' }, now: 0 }, async () => new Map()))).toBe('deployment shop/web  left alone: PodIgnored\n');
  });

  test('what the Pod in the cluster was given when it was created', async () => {
    const pod = aPod({ images: { web: 'mirror.example.com/nginx:1' }, annotations: { 'kuik.enix.io/reason': '{"web":"PlacePreferred"}' } });

    const { containers } = await explanationOf({ pod, decision: { usages: [decision] }, now: 0 }, async () => new Map());

    expect(containers[0]?.now).toEqual({ image: 'mirror.example.com/nginx:1', reason: 'PlacePreferred' });
  });
});

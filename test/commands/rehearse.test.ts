import { describe, expect, test } from '@jest/globals';
import type { ExplainedContainer, Explanation } from '../../src/commands/explain/report.js';
import { namesOfStuck, printRehearsal, rehearsalOf, type Rehearsed } from '../../src/commands/rehearse/report.js';
import { workloadsOf } from '../../src/commands/rehearse/workloads.js';
import { aPod, aTemplate } from '../support/builders.js';

const labels = { app: 'web' };
const template = aTemplate('Deployment', { name: 'web', labels });
const pod = (name: string, some: Parameters<typeof aPod>[0] = {}) => aPod({ name, labels: { ...labels, 'pod-template-hash': 'abc' }, ...some });

describe('what would have to restart', () => {
  const listed = (...args: Parameters<typeof workloadsOf>): string[] => workloadsOf(...args).map(({ namespace, name, pods }) => `${namespace} ${name} ${pods}`);
  test.each<[string, Parameters<typeof workloadsOf>, string[]]>([
    ['a workload, with the Pods that its template explains', [[pod('web-1'), pod('web-2')], [template]], ['shop deployment/web 2']],
    ['one without Pods: it may be scaled up, or run at night', [[], [template, aTemplate('CronJob')]], ['shop cronjob/nightly 0', 'shop deployment/web 0']],
    ['a Pod that belongs to nothing', [[pod('alone', { labels: {} })], []], ['shop pod/alone 1']],
    ['a Pod whose labels fit, and whose image does not', [[pod('web-1', { images: { web: 'nginx:1.28' } })], [template]], ['shop deployment/web 0', 'shop pod/web-1 1']],
    ['a Pod that was sent elsewhere is known by what its user wrote', [[pod('web-1', { images: { web: 'registry.example.com/mirror/library/nginx:1.27' }, annotations: { 'kuik.enix.io/original-images': '{"web":"nginx:1.27"}' } })], [template]], ['shop deployment/web 1']],
    ['no workload of another namespace', [[pod('web-1', { namespace: 'blog' })], [template]], ['blog pod/web-1 1', 'shop deployment/web 0']],
    ['no Job that is over', [[], [aTemplate('Job')]], []],
    ['no Pod that is over', [[pod('web-1', { metadata: { deletionTimestamp: '2026-11-20T12:00:00Z' } })], []], []],
  ])('%s', (_sentence, given, expected) => {
    expect(listed(...given)).toEqual(expected);
  });

  test('is asked about as its user wrote it: by one of its Pods, which has the Secrets of its account', () => {
    const [workload] = workloadsOf([pod('web-2'), pod('web-1', { pullSecrets: ['of-the-account'] })], [template]);

    expect(workload?.asked).toMatchObject({ isLive: true, pod: { name: 'web-1', pullSecrets: ['of-the-account'] } });
  });
});

describe('what is found', () => {
  const away = new Map([['docker.io', 'down']] as const);
  const origin = { place: 'docker.io/library/nginx:1.27', rule: '(origin)', verdict: 'unavailable', why: 'Unreachable, as if docker.io were down' };
  const copy = { place: 'registry.example.com/mirror/library/nginx:1.27', rule: 'ClusterImageSetMirror/main', verdict: 'chosen', why: 'available' };
  const container = (some: Partial<ExplainedContainer>): ExplainedContainer => ({ container: 'web', image: 'nginx:1.27', verdict: 'keep', reason: 'OnlyOrigin', pulls: 'nginx:1.27', places: [], ...some });
  const moved = container({ verdict: 'rewrite', reason: 'OriginUnavailable', pulls: copy.place, places: [origin, copy] });

  function rehearsed(name: string, containers: readonly ExplainedContainer[], skipped?: string): Rehearsed {
    const explanation: Explanation = { namespace: 'shop', name, containers, ...(skipped === undefined ? {} : { skipped }) };
    return { workload: { namespace: 'shop', name: `deployment/${name}`, pods: 2, asked: { pod: aPod(), isLive: true } }, explanation };
  }

  const all = [
    rehearsed('alone', [container({ places: [{ ...origin, verdict: 'unasked', why: '' }] })]),
    rehearsed('dead', [container({ reason: 'NoPlaceAvailable', places: [origin, { ...copy, verdict: 'unavailable', why: 'NotFound in 3 ms anonymously' }] })]),
    rehearsed('moves', [moved]),
    rehearsed('stays', [{ ...moved, now: { image: copy.place, reason: 'OriginUnavailable' } }]),
    rehearsed('opted-out', [], 'PodIgnored'),
    rehearsed('elsewhere', [container({ image: 'quay.io/acme/api:v4', pulls: 'quay.io/acme/api:v4', places: [{ ...origin, place: 'quay.io/acme/api:v4' }] })]),
  ];
  const rehearsal = rehearsalOf(all, away);

  test('names each workload that the registry matters to, and what would become of it', () => {
    expect(rehearsal).toMatchObject({ apiVersion: 'cli.kuik.enix.io/v1', kind: 'Rehearsal', registries: ['docker.io'], looked: 6, images: ['nginx:1.27'] });
    expect(rehearsal.workloads.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual(['deployment/alone stuck', 'deployment/dead stuck', 'deployment/moves moves', 'deployment/stays stays', 'deployment/opted-out stuck']);
  });

  test('says why, and where else', () => {
    const [alone, dead, moves, , optedOut] = rehearsal.workloads.map(({ containers }) => containers[0]);

    expect(alone).toMatchObject({ reason: 'OnlyOrigin', why: 'no rule offers a second place beside docker.io' });
    expect(dead?.why).toBe(`${origin.place}: ${origin.why}; ${copy.place}: NotFound in 3 ms anonymously`);
    expect(moves).toMatchObject({ pulls: copy.place });
    expect(optedOut).toMatchObject({ container: 'web', image: 'nginx:1.27', reason: 'PodIgnored', why: 'left alone (PodIgnored), so it is pulled from docker.io only' });
  });

  test('reads well', () => {
    expect(printRehearsal(rehearsal)).toBe(`Without docker.io 3 workloads of 6 could not restart:
  NAMESPACE   WORKLOAD               PODS   CONTAINER   IMAGE        WHY
  shop        deployment/alone       2      web         nginx:1.27   no rule offers a second place beside docker.io
  shop        deployment/dead        2      web         nginx:1.27   docker.io/library/nginx:1.27: Unreachable, as if docker.io were down; registry.example.com/mirror/library/nginx:1.27: NotFound in 3 ms anonymously
  shop        deployment/opted-out   2      web         nginx:1.27   left alone (PodIgnored), so it is pulled from docker.io only

1 workload would be pulled from elsewhere:
  NAMESPACE   WORKLOAD           PODS   CONTAINER   IMAGE        PULLS
  shop        deployment/moves   2      web         nginx:1.27   registry.example.com/mirror/library/nginx:1.27

1 workload would not notice.

No rule offers a second place for 1 image:
  nginx:1.27
`);
  });

  test('-o wide has the reasons, and those that would not notice as well; -o name those that could not restart', () => {
    expect(printRehearsal(rehearsal, 'wide')).toContain(`1 workload would not notice:
  NAMESPACE   WORKLOAD           PODS   CONTAINER   IMAGE        REASON              PULLS
  shop        deployment/stays   2      web         nginx:1.27   OriginUnavailable   registry.example.com/mirror/library/nginx:1.27
`);
    expect(namesOfStuck(rehearsal)).toBe('deployment/alone\ndeployment/dead\ndeployment/opted-out\n');
  });

  test('is said shortly where all is well, and where nobody would notice', () => {
    expect(printRehearsal(rehearsalOf([rehearsed('moves', [moved])], away))).toMatch(/^Without docker\.io every workload could restart\.\n\n1 workload would be pulled from elsewhere:\n/);
    expect(printRehearsal(rehearsalOf([rehearsed('elsewhere', [])], away))).toBe('Nothing of 1 workloads could be pulled from docker.io: it would not be missed.\n');
  });
});

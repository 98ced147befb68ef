import { expect, test } from '@jest/globals';
import { translateRule } from '../../src/api/translate.js';
import { reportRules } from '../../src/watchers/report.js';
import { aPod } from '../support/builders.js';

test('replica rules of the same name in two namespaces count the Pods of their own namespace only', async () => {
  const rule = (namespace: string) =>
    translateRule(
      { kind: 'ReplicatedImageSet', namespace, name: 'same', uid: namespace, generation: 1, spec: { upstreams: [] } },
      { installNamespace: 'kuik-system' },
    );
  const sent = { 'kuik.enix.io/rewritten-by': '{"web":"ReplicatedImageSet/same"}' };
  const pods = ['shop', 'shop', 'blog'].map((namespace, index) => aPod({ namespace, name: `web-${index}`, annotations: sent }));
  const rerouted = new Map<string | undefined, unknown>();

  await reportRules(
    { used: [], rules: [rule('shop'), rule('blog')], records: [], plan: { wanted: new Map(), collisions: [] }, now: 0 },
    {
      cluster: { applyRuleStatus: async ({ namespace }, status) => void rerouted.set(namespace, (status as { counts: { rerouted: number } }).counts.rerouted), emitEvent: async () => undefined },
      resource: () => undefined,
      pods: () => pods,
      secrets: { problemsOf: async () => [] },
      temporalConnected: () => true,
    },
  );

  expect(rerouted).toEqual(new Map([['shop', 2], ['blog', 1]]));
});

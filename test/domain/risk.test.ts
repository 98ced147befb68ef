import { describe, expect, test } from '@jest/globals';
import { mirrorPrefixes } from '../../src/domain/mirror-prefix.js';
import { annotations } from '../../src/domain/names.js';
import type { ImageRecord } from '../../src/domain/record.js';
import { risksOf, type Risks } from '../../src/domain/risk.js';
import type { Rule } from '../../src/domain/rule.js';
import type { Pod } from '../../src/domain/usage.js';
import { aCopy, aMirrorRule, aPlace, aPod, aRecord, aReplicaRule } from '../support/builders.js';

const copy = 'registry.example.com/mirror/library/nginx:1.27';
const copied = aCopy(copy, { mirroredAt: '2026-11-21T10:00:00Z' });
const origin = (state?: 'Available' | 'NotFound' | 'Unreachable' | 'Scheduled') => aPlace({ reference: 'docker.io/library/nginx:1.27', role: 'origin', ...(state === undefined ? {} : { state }) });
const replica = (state?: 'Available' | 'NotFound') => aPlace({ reference: 'replica.example.com/library/nginx:1.27', role: 'replica', ...(state === undefined ? {} : { state }) });
const gone = aCopy(copy, { mirroredAt: undefined, failure: { code: 'missing', side: 'source', message: 'gone', since: '2026-11-21T10:00:00Z', attempts: 1 } });

interface World {
  readonly pods?: readonly Pod[];
  readonly rules?: readonly Rule[];
  readonly record?: ImageRecord;
}

function risks({ pods = [aPod()], rules = [], record }: World): { atRisk: Record<string, number>; unavailable: Record<string, number> } {
  const { atRisk, unavailable }: Risks = risksOf({
    pods,
    rules: (namespace) => rules.filter(({ id }) => id.namespace === undefined || id.namespace === namespace),
    prefixes: mirrorPrefixes(rules),
    record: (image) => (image === record?.image ? record : undefined),
    namespaceLabels: () => ({}),
    skip: { labels: [], annotations: [], namespaces: [] },
    v1ProxyPort: 7439,
  });
  return { atRisk: Object.fromEntries(atRisk), unavailable: Object.fromEntries(unavailable) };
}

const safe = { atRisk: {}, unavailable: {} };
const mirror = [aMirrorRule()];

describe('a workload', () => {
  test.each<[string, World, ReturnType<typeof risks>]>([
    ['hangs on its origin while nothing else has the image', {}, { ...safe, atRisk: { 'docker.io': 1 } }],
    ['hangs on it while the copy is only wanted', { rules: mirror, record: aRecord({ places: [origin()] }) }, { ...safe, atRisk: { 'docker.io': 1 } }],
    ['hangs on nothing once there is a copy', { rules: mirror, record: aRecord({ places: [origin(), copied] }) }, safe],
    ['hangs on the mirror when the origin is gone', { rules: mirror, record: aRecord({ places: [origin('NotFound'), copied] }) }, { ...safe, atRisk: { 'registry.example.com': 1 } }],
    ['hangs on its origin when the copy is about to go', { rules: mirror, record: aRecord({ places: [origin(), { ...copied, retiringSince: '2026-11-21T10:00:00Z' }] }) }, { ...safe, atRisk: { 'docker.io': 1 } }],
    ['hangs on its origin when it opted out of being sent elsewhere', { pods: [aPod({ labels: { 'kuik.enix.io/ignore': 'true' } })], rules: mirror, record: aRecord({ places: [origin(), copied] }) }, { ...safe, atRisk: { 'docker.io': 1 } }],
    ['hangs on its origin when the copy is of a rule of another namespace', { rules: [aMirrorRule({ namespace: 'blog' })], record: aRecord({ places: [origin(), copied] }) }, { ...safe, atRisk: { 'docker.io': 1 } }],
    ['does not count on a replica that nobody has looked at', { rules: [aReplicaRule()], record: aRecord({ places: [origin(), replica()] }) }, { ...safe, atRisk: { 'docker.io': 1 } }],
    ['counts on a replica that is available', { rules: [aReplicaRule()], record: aRecord({ places: [origin(), replica('Available')] }) }, safe],
    ['is judged by what its user wrote, not by where we sent it', { pods: [aPod({ images: { web: copy }, annotations: { [annotations.originalImages]: '{"web":"nginx:1.27"}' } })], rules: mirror, record: aRecord({ places: [origin(), copied] }) }, safe],
    ['is one, however many Pods it has', { pods: ['web-7d4-a', 'web-7d4-b'].map((name) => aPod({ name, labels: { app: 'web', 'pod-template-hash': name } })) }, { ...safe, atRisk: { 'docker.io': 1 } }],
    ['is two in two namespaces', { pods: ['shop', 'blog'].map((namespace) => aPod({ namespace, labels: { app: 'web' } })) }, { ...safe, atRisk: { 'docker.io': 2 } }],
    ['is of no interest once it has ended', { pods: [aPod({ metadata: {}, spec: {} }), aPod({ name: 'done' })].map((pod) => ({ ...pod, phase: 'Succeeded' })) }, safe],
    ['is of no interest where the kubelet never pulls', { pods: [aPod({ pullPolicy: 'Never' })] }, safe],
    ['is of no interest where its image is no reference', { pods: [aPod({ images: { web: 'NGINX@@' } })] }, safe],
  ])('%s', (_sentence, world, expected) => {
    expect(risks(world)).toEqual(expected);
  });
});

describe('an image', () => {
  test.each<[string, World, ReturnType<typeof risks>]>([
    ['can be pulled from nowhere when its origin is gone and there is no copy', { rules: mirror, record: aRecord({ places: [origin('NotFound')] }) }, { ...safe, unavailable: { 'docker.io': 1 } }],
    ['can be pulled from nowhere when a copy found its source missing', { rules: mirror, record: aRecord({ places: [origin(), gone] }) }, { ...safe, unavailable: { 'docker.io': 1 } }],
    ['is there again when a check has seen it since', { rules: mirror, record: aRecord({ places: [origin('Available'), gone] }) }, { ...safe, atRisk: { 'docker.io': 1 } }],
    ['may be at a replica that nobody has looked at', { rules: [aReplicaRule()], record: aRecord({ places: [origin('Unreachable'), replica()] }) }, safe],
    ['is nowhere when the replica lacks it, too', { rules: [aReplicaRule()], record: aRecord({ places: [origin('Unreachable'), replica('NotFound')] }) }, { ...safe, unavailable: { 'docker.io': 1 } }],
    ['is believed to be where it comes from until somebody has looked', { record: aRecord({ places: [origin('Scheduled')] }) }, { ...safe, atRisk: { 'docker.io': 1 } }],
    ['counts once, whoever uses it', { pods: ['shop', 'blog'].map((namespace) => aPod({ namespace })), record: aRecord({ places: [origin('NotFound')] }) }, { ...safe, unavailable: { 'docker.io': 1 } }],
  ])('%s', (_sentence, world, expected) => {
    expect(risks(world)).toEqual(expected);
  });
});

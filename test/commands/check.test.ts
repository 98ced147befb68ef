import { expect, test } from '@jest/globals';
import { problemOf } from '../../src/commands/check/run.js';

const registered = { reachedBy: 'service', caBundle: 'PEM' } as const;

test.each([
  ['is there and answers', registered, { 'kuik.enix.io/reason': '{"check":"PullPolicyNever"}' }, undefined],
  ['is not registered', undefined, {}, /not registered.*KUIK_FULL_NAME/],
  ['is trusted by nobody yet', { ...registered, caBundle: '' }, {}, /authority.*manager/],
  ['leaves no mark', registered, { other: '' }, /came back without kuik\.enix\.io\/reason.*ready.*Service/],
] as const)('a webhook that %s', async (_sentence, registration, annotations, problem) => {
  const found = await problemOf({ registeredWebhook: async () => registration, tryPod: async () => annotations }, 'kuik', 'kuik-system');

  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(problem);
});

test('the Pod it tries is of a restricted kind, and no registry is asked about its image', async () => {
  let tried: object | undefined;
  await problemOf({ registeredWebhook: async () => registered, tryPod: async (_namespace, pod) => ((tried = pod), {}) }, 'kuik', 'kuik-system');

  expect(tried).toMatchObject({ metadata: { namespace: 'kuik-system' }, spec: { containers: [{ imagePullPolicy: 'Never', securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false } }] } });
});

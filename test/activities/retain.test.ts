import { describe, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createRetainActivities } from '../../src/activities/retain.js';
import { toldOf } from '../../src/activities/retain-events.js';
import { Failure } from '../../src/domain/failure.js';
import type { DeletionEngine } from '../../src/registry/deletion-engine.js';
import type { Deletion, DeletionGuard } from '../../src/registry/registry.js';
import type { DeleteTagInput } from '../../src/temporal/activities.js';
import { sdkLogger } from '../../src/temporal/logger.js';
import { digestOf, nginx, place } from '../support/keeper.js';
import { quiet } from '../support/temporal-lab.js';

const input: DeleteTagInput = { v: 1, destination: place, publishAs: place as never, image: nginx, rules: [], digest: digestOf('a'), sharing: 'unshared', beside: [{ tag: 'sha256-aa.sig', digest: digestOf('b') }] };
const credentials = { destination: async () => [{ id: 'pusher' }], prefix: () => 'registry.example.com/mirror' };

/** Without the SDK's own log. */
function anEnvironment(): MockActivityEnvironment {
  return new MockActivityEnvironment({}, { logger: sdkLogger(quiet) });
}

function run(engine: Partial<DeletionEngine>, some: Partial<typeof credentials> = {}) {
  const counted: string[] = [];
  const activities = createRetainActivities({ engine: engine as DeletionEngine, credentials: { ...credentials, ...some }, observe: (_at, outcome) => counted.push(outcome) });
  const env = anEnvironment();
  return { counted, plan: () => env.run(activities.planDelete, input), deleteTag: () => env.run(activities.deleteTag, input) };
}

describe('a look before a deletion', () => {
  test.each([
    ['finds the tag and what stands beside it', { verdict: 'delete', beside: input.beside }, { v: 1, verdict: 'delete', beside: input.beside }],
    ['finds nothing', { verdict: 'absent' }, { v: 1, verdict: 'absent' }],
    ['finds what somebody else wrote', { verdict: 'changed', digest: digestOf('f') }, { v: 1, verdict: 'blocked', block: { reason: 'digest-changed', message: `${place} has ${digestOf('f')}, not ${digestOf('a')} as when it was copied` } }],
  ] as const)('%s', async (_sentence, look, plan) => {
    expect(await run({ look: async () => look }).plan()).toEqual(plan);
  });

  test('needs the Secret that was named: without it somebody has to help', async () => {
    const destination = (): Promise<never> => Promise.reject(new Failure({ code: 'unauthorized', side: 'destination', message: 'secret kuik-system/push does not exist' }));

    expect(await run({}, { destination }).plan()).toEqual({ v: 1, verdict: 'blocked', block: { reason: 'no-credential', message: 'secret kuik-system/push does not exist' } });
  });

  test('touches nothing that neither a rule nor a record of the cluster holds', async () => {
    const refused = new Failure({ code: 'invalid', side: 'destination', message: 'no rule or record of this cluster holds it' });
    const prefix = (): never => {
      throw refused;
    };

    await expect(run({}, { prefix }).plan()).rejects.toBe(refused);
    await expect(run({}, { prefix }).deleteTag()).rejects.toBe(refused);
  });
});

describe('a deletion', () => {
  test('is guarded by the mirror, the recorded digest and what all clusters say', async () => {
    const guards: DeletionGuard[] = [];
    const { deleteTag, counted } = run({ delete: async (_at, guard) => (guards.push(guard), { outcome: 'deleted', by: 'tag', restored: ['other'] }) });

    expect(await deleteTag()).toEqual({ v: 1, verdict: 'deleted', restored: 1 });
    expect(guards).toEqual([{ prefix: 'registry.example.com/mirror', digest: digestOf('a'), inventory: 'unshared', beside: input.beside }]);
    expect(counted).toEqual(['deleted']);
  });

  test.each<[string, Deletion, object, string[]]>([
    ['finds that it is gone', { outcome: 'absent' }, { v: 1, verdict: 'absent' }, ['absent']],
    ['is refused', { outcome: 'blocked', reason: 'immutable', message: 'tags there do not change' }, { v: 1, verdict: 'blocked', block: { reason: 'immutable', message: 'tags there do not change' } }, []],
  ])('%s', async (_sentence, deletion, answer, outcomes) => {
    const { deleteTag, counted } = run({ delete: async () => deletion });

    expect(await deleteTag()).toEqual(answer);
    expect(counted).toEqual(outcomes);
  });

  test('that fails is counted, and thrown as it is', async () => {
    const failure = new Failure({ code: 'unreachable', side: 'destination', message: 'connection reset' });
    const { deleteTag, counted } = run({ delete: () => Promise.reject(failure) });

    await expect(deleteTag()).rejects.toBe(failure);
    expect(counted).toEqual(['failed']);
  });

  test('is stopped when its worker is, through the signal of every request', async () => {
    const activities = createRetainActivities({
      credentials,
      engine: { look: async () => ({ verdict: 'absent' }), delete: (_at, _guard, _as, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))) },
    });
    const env = anEnvironment();
    const running = env.run(activities.deleteTag, input);
    setTimeout(() => env.cancel(), 10);

    await expect(running).rejects.toMatchObject({ name: 'CancelledFailure' });
  });
});

test.each([
  [{ state: 'retiring' }, 'Expiring', 'Normal'],
  [{ state: 'deleted' }, 'Deleted', 'Normal'],
  [{ state: 'stays', block: { reason: 'in-use', message: 'pod shop/web pulls from it' } }, 'DeletionBlocked', 'Warning'],
  [{ state: 'stays' }, undefined, undefined],
  [{ state: 'copying' }, undefined, undefined],
] as const)('people are told of %j as %s', (report, reason, type) => {
  const told = toldOf({ v: 1, image: nginx, destination: place, workflowId: 'task/x', at: '', report });

  expect([told?.reason, told?.type]).toEqual([reason, type]);
});

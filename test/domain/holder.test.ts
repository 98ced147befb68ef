import { describe, expect, test } from '@jest/globals';
import type { ImageName } from '../../src/domain/image-ref.js';
import { phaseOf } from '../../src/domain/keeper.js';
import type { KeeperState } from '../../src/domain/keeper-state.js';
import { acceptClaim, acceptRelease, acceptTold, compact } from '../../src/domain/keeper-messages.js';
import type { CopyTask, DeleteTask } from '../../src/domain/task.js';
import { aClaim, afterCopy, aKeeper, copied, days, digestOf, failed, nginx, place, stepAt, t0 } from '../support/keeper.js';

const quay = 'quay.io/library/nginx:1.27' as ImageName;
const quays = aClaim({ cluster: 'paris', image: quay, sources: [quay] });
const conflict = { cluster: 'paris', image: quay, report: expect.objectContaining({ state: 'failed', holder: nginx }) };

/** Berlin's copy of nginx is there. */
const copy = (some = {}): KeeperState => acceptTold(afterCopy(aKeeper(aClaim(some)), copied({ sourceDigest: digestOf('b') }), t0), []);
const released = (state: KeeperState, more = {}): KeeperState => acceptRelease(state, { v: 1, cluster: 'berlin', generation: 2, ...more }, t0);
const claimed = (state: KeeperState, claim = quays): KeeperState => acceptClaim(state, claim, t0).state;
const taskOf = (state: KeeperState, now = t0): Partial<CopyTask> => {
  const step = stepAt(state, now);
  return step.kind === 'task' && step.operation === 'copy' ? step.task : {};
};

describe('of two images that want one destination, the one whose copy is there keeps it', () => {
  test.each<[string, KeeperState]>([
    ['while it is claimed', claimed(copy())],
    ['while it is retained, whoever claims the place meanwhile', claimed(released(copy()))],
    ['while a Pod somewhere pulls from it by its name', claimed(claimed(released(copy({ cleanup: false })), aClaim({ cluster: 'rome', image: place as string as ImageName, sources: [], rests: true })))],
  ])('%s; the other one is told', (_sentence, state) => {
    expect(stepAt(state, t0)).toMatchObject({ kind: 'look', what: 'tell', reports: expect.arrayContaining([expect.objectContaining(conflict)]) });
    expect(taskOf({ ...state, told: [`paris ${quay}`] })).toEqual({});
  });

  test('until its retention is over and it is deleted', () => {
    const state = { ...claimed(released(copy())), told: [`paris ${quay}`] };
    const step = stepAt(state, t0 + 30 * days);

    expect(phaseOf(state, t0)).toBe('Expiring');
    expect(step).toMatchObject({ kind: 'task', operation: 'delete', task: { image: nginx, clusters: [{ cluster: 'berlin', image: nginx }, { cluster: 'paris', image: nginx }] } satisfies Partial<Record<keyof DeleteTask, unknown>> });
    expect(taskOf({ ...state, copy: undefined, deletedAt: t0 })).toMatchObject({ image: quay });
  });

  test('also when its keeper begins anew', () => {
    const renewed = compact({ ...claimed(released(copy())), told: [`paris ${quay}`] }, t0 + 31 * days);

    expect(stepAt(renewed, t0 + 31 * days)).toMatchObject({ operation: 'delete' });
  });
});

describe('an image takes the place of another one', () => {
  const gone = released(copy({ cleanup: false }));

  test('once that is not cleaned up and nobody claims it, and goes by nothing that is known of it', () => {
    const task = taskOf(claimed(gone));

    expect(task).toMatchObject({ image: quay, recorded: 'foreign' });
    expect(task).not.toHaveProperty('sourceDigest');
  });

  test('in the same cluster, too', () => {
    expect(taskOf(claimed(copy(), aClaim({ generation: 2, image: quay, sources: [quay] })))).toMatchObject({ image: quay, recorded: 'foreign' });
  });

  test('and is told of its own copy only; records that speak of the other one are corrected', () => {
    const failing = afterCopy(claimed(gone), failed('unreachable'), t0);
    const done = afterCopy(claimed(gone), copied({ digest: digestOf('c') }), t0);

    expect(stepAt({ ...failing, told: [] }, t0)).toMatchObject({ reports: [{ cluster: 'paris', report: { state: 'failed' } }] });
    expect(JSON.stringify(stepAt({ ...failing, told: [] }, t0))).not.toContain('outcome');
    expect(stepAt(done, t0)).toMatchObject({ what: 'tell', reports: [{ cluster: 'berlin', image: nginx, report: { state: 'deleted' } }] });
  });
});

test('two spellings of one digest are one image', () => {
  const digest = `@${digestOf('a')}`;
  const destination = `registry.example.com/mirror/library/nginx${digest}`;
  const spelled = (image: string, cluster: string) => aClaim({ cluster, destination: destination as typeof place, image: image as ImageName, sources: [image as ImageName] });
  const both = [spelled(`docker.io/library/nginx:1${digest}`, 'berlin'), spelled(`docker.io/library/nginx${digest}`, 'paris')];
  const keeper = both.reduce((state, claim) => acceptClaim(state, claim, t0).state, { ...aKeeper(), destination: destination as typeof place });

  expect(taskOf(keeper)).toMatchObject({ clusters: ['berlin', 'paris'] });
});

test('a run that began under the first edition decides as that did', () => {
  const first = { ...claimed(released(copy())), edition: undefined, told: [] };

  expect(stepAt(first, t0)).toMatchObject({ kind: 'task', operation: 'copy', reason: 'SettingsChanged' });
});

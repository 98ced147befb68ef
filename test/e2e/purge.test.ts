import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { idsOf, openKeepers } from '../support/keepers.js';
import { startRelay } from '../support/relay.js';
import { applyMirrorRule, createPod, isClaimedFor, mirrorFast, podFor, push, startFastKeeper, tagIsThere, until, untilMirrored } from '../support/stage.js';

describe('a rule that goes with all it copied', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('purge') });
  });
  afterAll(() => stage?.close());

  const finalizersOf = (rule: string): Promise<string> => stage.kubectl('get', 'cism', rule, '-o', 'jsonpath={.metadata.finalizers}', '--ignore-not-found');
  const isGone = async (rule: string): Promise<boolean> => (await stage.kubectl('get', 'cism', rule, '-o', 'name', '--ignore-not-found')) === '';
  const eventsOf = (rule: string): Promise<string> => stage.kubectl('get', 'events', '-A', '--field-selector', `involvedObject.name=${rule}`, '-o', 'jsonpath={.items[*].reason}');

  test('is held until its copies are deleted, without clean-up and with Pods around, and what another rule keeps is spared', async () => {
    await applyMirrorRule(stage, 'leaving', { annotations: { 'kuik.enix.io/purge': 'true' } });
    await applyMirrorRule(stage, 'staying', { image: '.+/shared:.+' });
    await until('the finalizer', async () => (await finalizersOf('leaving')).includes('kuik.enix.io/mirror-cleanup'));
    await mirrorFast(stage, 'web:1.0', 'leaving');
    await mirrorFast(stage, 'shared:1.0', 'staying');

    await stage.kubectl('delete', 'cism', 'leaving', '--wait=false');
    await until('the rule to go', () => isGone('leaving'));

    expect(await tagIsThere(stage.copyOf('web:1.0'))).toBe(false);
    await stage.crane('validate', '--remote', stage.copyOf('shared:1.0'));
    expect(await eventsOf('leaving')).not.toContain('CleanupSkipped');
    await stage.kubectl('delete', 'cism', 'staying');
  }, 180_000);

  test('waits for a copy that is under way, of which no record knows yet, and has it deleted', async () => {
    await applyMirrorRule(stage, 'hasty', { image: '.+/big:.+', annotations: { 'kuik.enix.io/purge': 'true' } });
    await until('the finalizer', async () => (await finalizersOf('hasty')).includes('kuik.enix.io/mirror-cleanup'));
    await push(stage, 'big:1.0');
    const source = await startRelay(stage.sourceAddress);
    source.limit(100_000); // two layers of a mebibyte: 20 seconds
    const image = `${source.address}/library/big:1.0`;
    const { keepers, destination } = await startFastKeeper(stage, 'big:1.0', 'hasty', image);
    await createPod(stage, podFor('big:1.0'), image);
    const keeper = async () => {
      const status = await keepers.status(destination);
      return status === 'absent' ? undefined : status;
    };
    await until('the claim of its rule', async () => {
      const status = await keeper();
      return status !== undefined && isClaimedFor(status, 'hasty');
    });
    expect((await keeper())?.phase).toBe('Copying');

    await stage.kubectl('delete', 'cism', 'hasty', '--wait=false');
    await until('the rule to go', () => isGone('hasty'), 120_000);

    expect((await keeper())?.phase).not.toBe('Copying');
    expect(await tagIsThere(destination)).toBe(false);
    expect(await eventsOf('hasty')).not.toContain('CleanupSkipped');
    await keepers.close();
    await source.close();
  }, 180_000);

  test('has a copy whose keeper was lost looked after again, so that it can be deleted', async () => {
    await applyMirrorRule(stage, 'orphaned', { image: '.+/lost:.+', annotations: { 'kuik.enix.io/purge': 'true' } });
    await mirrorFast(stage, 'lost:1.0', 'orphaned');
    const keepers = await openKeepers(stage.temporalAddress);
    const destination = stage.copyOf('lost:1.0');
    await keepers.client.workflow.getHandle(idsOf(destination).keeper).terminate('lost');

    await stage.kubectl('delete', 'cism', 'orphaned', '--wait=false');
    // it has the usual pace: a manager that has watched for less than ten minutes is not believed yet
    await until('a new keeper to try the deletion', async () => {
      const status = await keepers.status(destination);
      return status?.phase === 'Deleting' || status?.blocked?.reason === 'incomplete-inventory';
    });
    expect(await finalizersOf('orphaned')).toContain('kuik.enix.io/mirror-cleanup');
    await stage.kubectl('annotate', 'cism', 'orphaned', 'kuik.enix.io/skip-cleanup=true');
    await until('the rule to go', () => isGone('orphaned'), 30_000);
    await keepers.close();
  }, 180_000);

  test('goes at once when somebody says so, and tells what is left', async () => {
    await applyMirrorRule(stage, 'impatient', { image: '.+/slow:.+', annotations: { 'kuik.enix.io/purge': 'true' } });
    await push(stage, 'slow:1.0');
    await createPod(stage, podFor('slow:1.0'), stage.image('slow:1.0'));
    await untilMirrored(stage, stage.image('slow:1.0'));

    await stage.kubectl('delete', 'cism', 'impatient', '--wait=false');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await finalizersOf('impatient')).toContain('kuik.enix.io/mirror-cleanup');
    await stage.kubectl('annotate', 'cism', 'impatient', 'kuik.enix.io/skip-cleanup=true');

    await until('the rule to go', () => isGone('impatient'), 30_000);
    await until('the event', async () => (await eventsOf('impatient')).includes('CleanupSkipped'));
    expect(await tagIsThere(stage.copyOf('slow:1.0'))).toBe(true);
  }, 180_000);
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { PlaceId } from '../../src/domain/image-ref.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { openKeepers, type Keepers } from '../support/keepers.js';
import { applyMirrorRule, createPod, mirrorFast, podFor, push, recordOf, tagIsThere, until, untilMirrored } from '../support/stage.js';

describe('what moved behind our back', () => {
  let stage: Stage;
  let keepers: Keepers;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('drift') });
    keepers = await openKeepers(stage.temporalAddress);
    // preferred to the origin, so that Pods notice what is missing there
    await applyMirrorRule(stage, 'keeping', { image: '.+/keep-.+', priority: -1, cleanup: { enabled: true, retention: '0s' } });
    await applyMirrorRule(stage, 'syncing', { image: '.+/sync-.+', drift: 'sync' });
  }, 120_000);
  afterAll(async () => {
    await keepers?.close();
    await stage?.close();
  });

  const digestAt = (reference: string): Promise<string> => stage.crane('digest', reference).then((text) => text.trim(), () => 'missing');
  const look = (name: string): Promise<unknown> => keepers.keepers.resync(stage.copyOf(name) as PlaceId);
  const rests = (name: string): Promise<void> => until(`the keeper of ${name} to have looked`, async () => (await keepers.status(stage.copyOf(name)))?.next.reason === 'NextLook');

  /** @returns the digest of the copy */
  async function mirrored(name: string): Promise<string> {
    await push(stage, name);
    await createPod(stage, podFor(name), stage.image(name));
    await untilMirrored(stage, stage.image(name));
    return digestAt(stage.copyOf(name));
  }

  /** Other content under the name of an image. */
  async function overwrite(reference: string, seed: string): Promise<string> {
    await push(stage, seed);
    await stage.crane('copy', stage.image(seed), reference);
    return digestAt(reference);
  }

  test('a copy that vanished is made again because a Pod could not be sent there, long before the daily look', async () => {
    const digest = await mirrored('keep-gone:1.0');
    await stage.crane('delete', stage.copyOf('keep-gone:1.0'));
    expect(await tagIsThere(stage.copyOf('keep-gone:1.0'))).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // facts live one second here

    expect(await createPod(stage, 'second', stage.image('keep-gone:1.0'))).toMatchObject({ reason: 'PreferredUnavailable' });
    await until('the copy to be there again', async () => (await digestAt(stage.copyOf('keep-gone:1.0'))) === digest, 30_000);
  });

  test('content of somebody else at the destination is told, never overwritten, and never deleted', async () => {
    const name = 'keep-foreign:1.0';
    await mirrorFast(stage, name, 'keeping');
    const foreign = await overwrite(stage.copyOf(name), 'foreign:1.0');
    await look(name);

    await until('the rule to say so', async () => {
      const said = await stage.kubectl('get', 'cism', 'keeping', '-o', `jsonpath={.status.conditions[?(@.type=="DriftFree")].status} {.status.conditions[?(@.type=="DriftFree")].reason}`);
      return said === 'False DestinationChanged';
    });
    await stage.kubectl('delete', 'pod', podFor(name), '--now');
    await until('its deletion to be blocked', async () => (await keepers.status(stage.copyOf(name)))?.blocked !== undefined);

    expect(await keepers.status(stage.copyOf(name))).toMatchObject({ blocked: { reason: 'digest-changed' } });
    expect(await digestAt(stage.copyOf(name))).toBe(foreign);
    const { name: record = '' } = (await recordOf(stage, stage.image(name))) ?? {};
    await until('the record to say why', async () => (await stage.kubectl('get', 'ia', record, '-o', 'jsonpath={.status.places[*].blocked.reason}')) === 'digest-changed');
  });

  test.each(['origin', 'destination'])('with sync the copy follows the origin when content changed at the %s', async (where) => {
    const name = `sync-${where}:1.0`;
    const before = await mirrored(name);
    const changed = await overwrite(where === 'origin' ? stage.image(name) : stage.copyOf(name), `other-${where}:1.0`);
    expect(changed).not.toBe(before);
    await look(name);

    const expected = where === 'origin' ? changed : before;
    await until('the copy to follow', async () => (await digestAt(stage.copyOf(name))) === expected, 30_000);
    await stage.crane('validate', '--remote', stage.copyOf(name));
  });

  test.each(['keep', 'sync'])('an origin that is gone harms no copy: %s', async (policy) => {
    const name = `${policy}-orphan:1.0`;
    const digest = await mirrored(name);
    await stage.crane('delete', stage.image(name));
    await look(name);
    await rests(name);

    expect(await digestAt(stage.copyOf(name))).toBe(digest);
    expect(await keepers.status(stage.copyOf(name))).toMatchObject({ phase: 'Mirrored' });
    expect(await recordOf(stage, stage.image(name))).toMatchObject({ mirrors: '1/1', failure: undefined });
  });
});

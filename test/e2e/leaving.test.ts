import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { PlaceId } from '../../src/domain/image-ref.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { openKeepers, type Keepers } from '../support/keepers.js';
import { applyMirrorRule, mirrorFast, recordOf, tagIsThere, until, type SomeRule } from '../support/stage.js';

const retentionMs = 10_000;
const cleanup = { enabled: true, retention: '10s' };

describe('a copy that its rule no longer makes, while Pods use the image', () => {
  let stage: Stage;
  let keepers: Keepers;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('leaving') });
    keepers = await openKeepers(stage.temporalAddress);
  }, 180_000);
  afterAll(async () => {
    await keepers?.close();
    await stage?.close();
  });

  const second = (name: string): string => `${stage.mirror.address}/second/library/${name}`;
  const isInRecord = async (name: string): Promise<boolean> => {
    const { name: record = '' } = (await recordOf(stage, stage.image(name))) ?? {};
    return (await stage.kubectl('get', 'ia', record, '-o', 'jsonpath={.status.places[*].reference}')).includes(stage.copyOf(name));
  };

  interface Case {
    readonly name: string;
    readonly rule: SomeRule;
    readonly change: (rule: SomeRule) => Promise<unknown>;
  }

  /** What can happen to the rule of a copy. */
  function cases(kind: string): Readonly<Record<string, Case>> {
    const twoMirrors = (): SomeRule => ({ image: `.+/spec-${kind}:.+`, mirrors: [{ registry: stage.mirror.address, path: '/kept' }, { registry: stage.mirror.address, path: '/second' }] });
    return {
      'its mirror was removed from the spec': {
        name: `spec-${kind}:1.0`,
        get rule() { return twoMirrors(); },
        change: (rule) => applyMirrorRule(stage, `spec-${kind}`, { ...rule, mirrors: [{ registry: stage.mirror.address, path: '/second' }] }),
      },
      'the filter no longer selects its image': {
        name: `filter-${kind}:1.0`,
        rule: { image: `.+/filter-${kind}:.+` },
        change: (rule) => applyMirrorRule(stage, `filter-${kind}`, { ...rule, image: '.+/nothing:.+' }),
      },
      'its rule was deleted': {
        name: `rule-${kind}:1.0`,
        rule: { image: `.+/rule-${kind}:.+` },
        change: () => stage.kubectl('delete', 'cism', `rule-${kind}`, '--timeout=30s'),
      },
    };
  }

  async function mirrored({ name, rule }: Case, policy: SomeRule): Promise<void> {
    const ruleName = name.replace(/:.*/, '');
    await applyMirrorRule(stage, ruleName, { ...rule, ...policy });
    await mirrorFast(stage, name, ruleName);
    const copies = rule['mirrors'] === undefined ? '1/1' : '2/2';
    await until(`${name} to be mirrored`, async () => (await recordOf(stage, stage.image(name)))?.mirrors === copies);
  }

  test.each(Object.keys(cases('cleanup')))('goes after its retention, with clean-up, when %s', async (what) => {
    const it = cases('cleanup')[what]!;
    await mirrored(it, { cleanup });
    const changedAt = Date.now();
    await it.change({ ...it.rule, cleanup });

    await until('the retention to begin', async () => (await keepers.status(stage.copyOf(it.name)))?.phase === 'Expiring');
    expect(await tagIsThere(stage.copyOf(it.name))).toBe(true);
    // one refusal, which a busy machine may bring about, is tried again after up to 86 s at this pace
    await until('the copy to be deleted', async () => !(await tagIsThere(stage.copyOf(it.name))), 240_000);
    expect(Date.now() - changedAt).toBeGreaterThan(retentionMs);
    await until('the place to leave the record', async () => !(await isInRecord(it.name)));
    if (it.rule['mirrors'] !== undefined) expect(await tagIsThere(second(it.name))).toBe(true);
  }, 400_000);

  test.each(Object.keys(cases('plain')))('stays in the registry and leaves the record, without clean-up, when %s', async (what) => {
    const it = cases('plain')[what]!;
    await mirrored(it, {});
    await it.change(it.rule);

    await until('the place to leave the record', async () => !(await isInRecord(it.name)));
    await until('its keeper to end', async () => !(await keepers.keepers.isKept(stage.copyOf(it.name) as PlaceId)));
    await stage.crane('validate', '--remote', stage.copyOf(it.name));
    expect(await stage.kubectl('get', 'events', '-A', '-o', 'jsonpath={.items[*].reason}')).not.toContain('CleanupSkipped');
  }, 180_000);
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { applyMirrorRule, mirrorFast, podFor, recordOf, tagIsThere, until, untilMirrored } from '../support/stage.js';

describe('a copy that nobody uses any more', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('retention') });
  });
  afterAll(() => stage?.close());

  test('retires, is deleted with its tag alone, and leaves the record', async () => {
    await applyMirrorRule(stage, 'everything', { cleanup: { enabled: true, retention: '0s' } });
    await mirrorFast(stage, 'web:1.0', 'everything');
    await untilMirrored(stage, stage.image());
    await stage.crane('tag', stage.copyOf(), 'sibling');
    const digest = await stage.crane('digest', stage.copyOf());

    await stage.kubectl('delete', 'pod', podFor('web:1.0'), '--now');
    await until('the copy to be deleted', async () => !(await tagIsThere(stage.copyOf())));

    expect(await stage.crane('digest', stage.copyOf('web:sibling'))).toBe(digest);
    await stage.crane('validate', '--remote', stage.copyOf('web:sibling'));
    await until('people to be told', async () => {
      const reasons = await stage.kubectl('get', 'events', '-A', '-o', 'jsonpath={.items[*].reason}');
      return reasons.includes('Expiring') && reasons.includes('Deleted');
    });
    const { name = '' } = (await recordOf(stage, stage.image())) ?? {};
    await until('the place to leave the record', async () => !(await stage.kubectl('get', 'ia', name, '-o', 'jsonpath={.status.places[*].reference}')).includes(stage.mirror.address));
  });
});

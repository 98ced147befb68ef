import { expect, test } from '@jest/globals';
import { AloneLeads } from '../../src/cluster/leadership.js';

test('a single process leads as long as it runs', async () => {
  const end = new AbortController();
  const story: string[] = [];
  const alone = new AloneLeads();
  const running = alone.run({ gained: () => story.push('gained'), lost: () => story.push('lost') }, end.signal);
  expect([alone.isLeader, story]).toEqual([true, ['gained']]);

  end.abort();
  await running;
  expect([alone.isLeader, story]).toEqual([false, ['gained', 'lost']]);
});

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PlaceId } from '../../src/domain/image-ref.js';
import { monitorId, workflowIds } from '../../src/temporal/workflow-ids.js';

const long = `registry.example.com/${'team-with-a-long-name/'.repeat(11)}nginx:1.27` as PlaceId;

// golden: another ID for the same destination orphans every keeper there is
test.each<[string, string, string]>([
  ['registry.example.com/mirror/library/nginx:1.27', 'keep/registry.example.com/mirror/library/nginx:1.27', 'task/registry.example.com/mirror/library/nginx:1.27'],
  [`registry.example.com:5000/m/api@sha256:${'0'.repeat(64)}`, `keep/registry.example.com:5000/m/api@sha256:${'0'.repeat(64)}`, `task/registry.example.com:5000/m/api@sha256:${'0'.repeat(64)}`],
  [
    long,
    'keep/registry.example.com/team-with-a-long-name/team-with-a-long-name/team-with-a-long-name/team-with-a-long-name/team-with-a-long-name/team-with-a-long-name/team-with-a-long-name/team-with-a-long-name/team-~ba580e1746d4124725d3ae88d1ec0df1',
    'task/registry.example.com/team-with-a-long-name/team-with-a-long-name/team-with-a-long-name/team-with-a-long-name/team-with-a-long-name/team-with-a-long-name/team-with-a-long-name/team-with-a-long-name/team-~ebd3f3b832283e395b5a0d16e93efacd',
  ],
])('the keeper of %s has the ID it has always had', (destination, keeper, task) => {
  expect(workflowIds(destination as PlaceId)).toEqual({ keeper, task });
});

test('the monitor of a registry has the ID it has always had', () => {
  expect(monitorId('berlin', 'registry.example.com:5000')).toBe('monitor/berlin/registry.example.com:5000');
});

test('an ID never exceeds 240 bytes, and two destinations never share one', () => {
  const name = fc.stringMatching(/^[a-z]{1,20}(\/[a-z]{1,30}){1,12}:[a-z0-9]{1,60}$/);
  fc.assert(
    fc.property(name, name, (one, other) => {
      const [first, second] = [workflowIds(one as PlaceId), workflowIds(other as PlaceId)];

      expect(Buffer.byteLength(first.keeper)).toBeLessThanOrEqual(240);
      expect(first.keeper === second.keeper).toBe(one === other);
      expect(first.keeper).not.toBe(first.task);
    }),
  );
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { storyOf } from '../../src/temporal/story.js';

const story = (file: string): readonly string[] => {
  const history = historyFromJSON(JSON.parse(readFileSync(join(import.meta.dirname, '..', 'histories', '3.0', file), 'utf8')));
  return storyOf({ workflowId: 'task/x', runId: 'r' }, history).map(({ what }) => what);
};

test.each<[string, string, string[]]>([
  ['a copy, step by step', 'copyImage/copied.json', [
    'copy of docker.io/library/nginx:1.27 begins in cluster berlin',
    'resolveSource docker.io/library/nginx:1.27: done',
    'copyPlatform linux/amd64, 4.1 MB: done',
    'copyPlatform linux/arm64, 4.1 MB: done',
    'publishTag registry.example.com/mirror/library/copied-1:1.27: done',
    'verify registry.example.com/mirror/library/copied-1:1.27: done',
    expect.stringMatching(/^copied and verified: sha256:a+ \(all\), linux\/amd64, linux\/arm64$/) as unknown as string,
  ]],
  ['how often it was tried, and why it failed', 'copyImage/failed.json', [
    'copy of docker.io/library/nginx:1.27 begins in cluster berlin',
    'resolveSource docker.io/library/nginx:1.27: attempt 6, after unreachable: connection refused by docker.io',
    'resolveSource docker.io/library/nginx:1.27: failed, unreachable: connection refused by docker.io',
    'failed, unreachable: connection refused by docker.io',
  ]],
  ['why a copy was not deleted', 'deleteImage/blocked.json', ['deletion begins', 'confirmUnused does berlin use it?: done', 'not deleted, in-use: berlin: pod shop/web pulls from it']],
  ['who claimed a destination, and what people asked for', 'keepImage/two-clusters.json', [
    'keeper begins',
    'claimed by cluster berlin for ClusterImageSetMirror/all',
    expect.stringMatching(/^copy started, run /) as unknown as string,
    'claimed by cluster paris for ClusterImageSetMirror/all',
    'asked to pause',
    'asked to resume',
    'asked to resync',
  ]],
  ['nothing of a keeper that only renewed its history', 'keepImage/renewed-after.json', expect.not.arrayContaining(['keeper begins']) as unknown as string[]],
])('a story tells %s', (_sentence, file, lines) => {
  expect(story(file)).toEqual(lines);
});

test('a story says when, in UTC', () => {
  const history = historyFromJSON({ events: [{ eventId: '1', eventTime: '2026-11-21T04:51:31.652109108Z', eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED', workflowExecutionCanceledEventAttributes: {} }] });

  expect(storyOf({ workflowId: 'task/x', runId: 'r' }, history)).toEqual([{ at: '2026-11-21T04:51:31.652Z', workflowId: 'task/x', runId: 'r', what: 'cancelled' }]);
});

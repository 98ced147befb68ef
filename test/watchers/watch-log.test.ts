import { expect, test } from '@jest/globals';
import type { WatchHealth } from '../../src/cluster/cluster.js';
import type { FailureInfo } from '../../src/domain/failure.js';
import { createWatchLog } from '../../src/watchers/watch-log.js';

const gone: FailureInfo = { code: 'unreachable', side: 'cluster', message: 'no connection to the API server' };
const health = (kind: WatchHealth['kind'], lastError?: FailureInfo): WatchHealth => ({ kind, connected: lastError === undefined, objects: 1, handlerErrors: 0, unreadable: 0, lastError });

test('a lost API server is told once, and its return once', () => {
  const lines: unknown[] = [];
  let seen: readonly WatchHealth[] = [health('Pod'), health('Namespace')];
  const look = createWatchLog({ cluster: { watchHealth: () => seen }, warn: (fields) => lines.push(['warn', fields]), info: (fields) => lines.push(['info', fields]) });

  look();
  seen = [health('Pod', gone), health('Namespace', gone)];
  look();
  look();
  seen = [health('Pod'), health('Namespace', gone)];
  look();
  seen = [health('Pod'), health('Namespace')];
  look();
  look();

  expect(lines).toEqual([
    ['warn', { kinds: ['Pod', 'Namespace'], error: gone.message }],
    ['info', { kinds: ['Pod'] }],
    ['info', { kinds: ['Namespace'] }],
  ]);
});

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

test('each missing right is named, since each has to be granted', () => {
  const denied = (message: string): FailureInfo => ({ code: 'denied', side: 'cluster', message });
  const seen = [health('Pod', gone), health('CronJob', denied('grant verb list on cronjobs in API group batch')), health('Job', denied('grant verb list on jobs in API group batch'))];
  const lines: unknown[] = [];
  const look = createWatchLog({ cluster: { watchHealth: () => seen }, warn: (fields) => lines.push(fields), info: () => undefined });

  look();
  look();

  expect(lines).toEqual([{ kinds: ['Pod', 'CronJob', 'Job'], error: 'grant verb list on cronjobs in API group batch; grant verb list on jobs in API group batch' }]);
});

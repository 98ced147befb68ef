import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/cluster/cluster.js';
import { statusOf, type StatusFacts } from '../../src/commands/status/picture.js';
import { withProgress } from '../../src/commands/status/progress.js';
import { statusLine, statusScreen } from '../../src/commands/status/report.js';
import { aCopy, aRecord } from '../support/builders.js';
import { readDocument } from '../support/documents.js';

const now = Date.parse('2026-11-20T12:00:00Z');
const leader = { holder: 'manager-0', renewedAt: '2026-11-20T11:59:55Z' };
const healthy: StatusFacts = { version: '3', context: 'kind', namespace: 'kuik-system', installation: { webhook: 'registered', leader }, rules: [], records: [], now };

const condition = (type: string, status: 'True' | 'False', reason: string, message = reason) => ({ type, status, reason, message, lastTransitionTime: '2026-11-20T11:00:00Z' });
const inForce = condition('Ready', 'True', 'InForce');
function aResource(conditions: readonly object[], counts = {}): Resource {
  return { key: 'main', kind: 'ClusterImageSetMirror', name: 'main', uid: 'u', generation: 1, labels: {}, annotations: {}, finalizers: [], spec: {}, status: { conditions, counts } };
}

const origin = (image: string, state: 'Available' | 'NotFound' | 'QuotaExceeded' = 'Available') => ({ reference: image, role: 'origin', state }) as const;
const copyOf = (name: string): string => `registry.example.com/mirror/library/${name}`;
const waiting = (name: string) => ({ reference: copyOf(name), role: 'mirror' }) as const;
const failure = { code: 'denied', side: 'destination', message: 'push refused', since: '2026-11-20T10:00:00Z', attempts: 2 } as const;

describe('what is wrong', () => {
  test.each<[string, Partial<StatusFacts>, RegExp[]]>([
    ['is nothing when all is well', { rules: [aResource([inForce])], records: [aRecord({ places: [origin('nginx:1.27'), aCopy(copyOf('nginx:1.27'))] })] }, []],
    ['is a webhook that is not registered', { installation: { webhook: 'absent', leader } }, [/webhook is not registered/]],
    ['is a webhook nobody trusts', { installation: { webhook: 'untrusted', leader } }, [/authority/]],
    ['is not what one may not see', { installation: { webhook: 'unknown', leader: 'hidden' } }, []],
    ['is a manager that never was', { installation: { webhook: 'registered', leader: undefined } }, [/no manager leads/]],
    ['is a manager that fell silent', { installation: { webhook: 'registered', leader: { holder: 'm', renewedAt: '2026-11-20T11:50:00Z' } } }, [/no manager leads since 2026-11-20T11:50/]],
    ['is Temporal, when a rule says so, once for all rules', { rules: [aResource([inForce, condition('Reconciling', 'True', 'TemporalUnavailable')]), aResource([inForce, condition('Reconciling', 'True', 'TemporalUnavailable')])] }, [/Temporal cannot be reached/]],
    ['is a rule that is not ready', { rules: [aResource([condition('Ready', 'False', 'InvalidFilter', 'spec.filter: ...')])] }, [/^ClusterImageSetMirror\/main is not ready, InvalidFilter: spec.filter/]],
    ['is not a rule that was just made', { rules: [aResource([condition('Ready', 'False', 'Pending')])] }, []],
    ['is any other condition that is False', { rules: [aResource([inForce, condition('CredentialsValid', 'False', 'Unauthorized', 'refused')])] }, [/CredentialsValid is False, Unauthorized: refused/]],
    ['is not told twice: images say which copies fail', { rules: [aResource([inForce, condition('DestinationInSync', 'False', 'CopiesFailing')])] }, []],
    ['is an image that can be pulled from nowhere, before one with a copy left', {
      records: [aRecord({ image: 'kept:1', places: [origin('kept:1', 'NotFound'), aCopy(copyOf('kept:1'))] }), aRecord({ image: 'lost:1', places: [origin('lost:1', 'NotFound')] })],
    }, [/lost:1 can be pulled from nowhere/, /kept:1 cannot be pulled from where it comes from; other places serve/]],
    ['is one line for many copies that fail for one reason', { records: ['a:1', 'b:1', 'c:1', 'd:1'].map((image) => aRecord({ image, places: [origin(image), { ...waiting(image), failure }] })) },
      [/^the copy of 4 images \(docker.io\/library\/a:1, docker.io\/library\/b:1, docker.io\/library\/c:1, \.\.\.\) fails with denied at registry.example.com: push refused$/]],
    ['is nothing of an image that nobody uses', { records: [aRecord({ pods: 0, places: [origin('nginx:1.27', 'NotFound'), { ...waiting('nginx:1.27'), failure }] })] }, []],
  ])('%s', (_sentence, facts, said) => {
    const { troubles } = statusOf({ ...healthy, ...facts });

    expect(troubles).toHaveLength(said.length);
    said.forEach((what, at) => expect(troubles[at]?.what).toMatch(what));
    for (const { next } of troubles) expect(next).not.toBe('');
  });
});

describe('the screen', () => {
  const records = [
    aRecord({ image: 'nginx:1.27', places: [origin('nginx:1.27'), aCopy(copyOf('nginx:1.27'))] }),
    aRecord({ image: 'new:1', places: [origin('new:1'), waiting('new:1')], conditions: [condition('Mirrored', 'False', 'Pending')] }),
    aRecord({ image: 'busy:1', places: [origin('busy:1', 'QuotaExceeded'), { ...waiting('busy:1'), workflowId: 'task/x' }], conditions: [{ ...condition('Mirrored', 'False', 'Pending'), lastTransitionTime: '2026-11-20T11:30:00Z' }] }),
  ];
  const status = statusOf({ ...healthy, records, rules: [aResource([inForce], { images: 3, mirrored: 1, failed: 0, unused: 0 })] });

  test('names what to look at first, then what there is', () => {
    expect(statusScreen(status, { now, form: 'table' })).toBe(`kuik 3, context kind, namespace kuik-system: webhook registered, led by manager-0 (5s ago)

LOOK AT FIRST
  1. docker.io/library/busy:1 can be pulled from nowhere: a Pod that needs a new node will not start
     kuik images --unavailable -o wide lists why

IMAGES  3 in use: 1 with every copy, 2 waiting (the oldest for 1h), 1 without an origin; 0 unused

STATE     SINCE   PROGRESS   COPY OF                    TO
waiting   1h                 docker.io/library/new:1    registry.example.com/mirror/library/new:1
copying   30m                docker.io/library/busy:1   registry.example.com/mirror/library/busy:1

REGISTRY    STATE           IMAGES
docker.io   QuotaExceeded   1

RULE                         READY   IMAGES   MIRRORED   FAILED   UNUSED   REASON
ClusterImageSetMirror/main   True    3        1          0        0        InForce
`);
  });

  test('sums up what a rule that only monitors has found', () => {
    const monitor = statusOf({ ...healthy, rules: [{ ...aResource([inForce], { available: 40, unavailable: 1, unchecked: 2, unused: 3, listed: 43 }), kind: 'ClusterImageSetAvailability' }] });

    expect(statusScreen(monitor, { now, form: 'table' })).toContain(`
RULE                               READY   IMAGES   MIRRORED   FAILED   UNUSED   REASON
ClusterImageSetAvailability/main   True    43                  1        3        InForce
`);
  });

  test('is one line where nothing can be drawn', () => {
    expect(statusLine(status)).toMatch(/^1 of 3 images mirrored, 2 copies to come, 0 failed; 1 trouble, first: docker.io\/library\/busy:1/);
  });

  test('shows how far a copy is, where Temporal tells', async () => {
    const seen = await withProgress(status, { progress: async (destination) => (destination.endsWith('busy:1') ? { bytesDone: 15 * 2 ** 20, bytesTotal: 60 * 2 ** 20, retries: [] } : undefined) });

    expect(statusScreen(seen, { now, form: 'table' })).toContain('copying   30m     [##........] 15.0/60.0 MiB   docker.io/library/busy:1 ');
    readDocument('Status', JSON.stringify(seen));
  });

  test('goes without where Temporal does not tell, or has just gone', async () => {
    const gone = { progress: () => Promise.reject(new Error('gone')) };

    expect(await withProgress(status, gone)).toEqual(status);
  });

  test('is data as its schema says', () => {
    readDocument('Status', JSON.stringify(status));
  });
});

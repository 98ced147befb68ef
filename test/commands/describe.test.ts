import { describe, expect, test } from '@jest/globals';
import { nextCheckOf } from '../../src/commands/describe/next-check.js';
import { descriptionOf, descriptionText } from '../../src/commands/describe/report.js';
import { imageName, knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import { standingOf } from '../../src/domain/image-standing.js';
import type { TrackedImage } from '../../src/domain/monitor.js';
import type { ImageRecord } from '../../src/domain/record.js';
import { aCopy, aPod, aRecord } from '../support/builders.js';
import { readDocument } from '../support/documents.js';

const now = Date.parse('2026-11-20T12:00:00Z');
const copy = 'registry.example.com/mirror/library/nginx:1.27';
const origin = { reference: 'nginx:1.27', role: 'origin', state: 'Available', checkedAt: '2026-11-20T11:55:00Z' } as const;
const described = (record: ImageRecord, pods = [aPod()]) => descriptionOf({ record, standing: standingOf(record), users: pods }, { events: [] });

describe('the page of an image', () => {
  test('tells who uses it, where it is, and when it goes', () => {
    const rewritten = aPod({
      name: 'web-2',
      images: { web: copy, sidecar: 'other:1' },
      annotations: { 'kuik.enix.io/original-images': '{"web":"nginx:1.27"}', 'kuik.enix.io/reason': '{"web":"OriginUnavailable"}' },
    });
    const record = aRecord({ name: 'nginx-6965a10c', pods: 2, places: [origin, aCopy(copy, { rule: 'ClusterImageSetMirror/main', bytes: 73_400_320, strategy: 'all', platforms: ['linux/amd64'], retention: '720h', workflowId: `keep/${copy}` })] });
    const description = { ...described(record, [aPod(), rewritten]), nextCheck: { at: '2026-11-20T12:05:00.000Z', place: 1, of: 3 } };

    expect(descriptionText(description, { claimants: [{ cluster: 'paris', heardAt: '2026-11-20T08:00:00Z' }], now })).toBe(`docker.io/library/nginx:1.27
  Record:     imageavailability.kuik.enix.io/nginx-6965a10c
  Used by:    2 Pods
  Copies:     1 of 1
  Next check: not before 2026-11-20T12:05:00.000Z, now number 1 of 3 at its registry

POD          CONTAINER   PULLS                                            REASON
shop/web-1   web         (as written)
shop/web-2   web         registry.example.com/mirror/library/nginx:1.27   OriginUnavailable

PLACE                                            ROLE     RULE                         STATE       CHECKED   DIGEST
docker.io/library/nginx:1.27                     origin                                Available   5m ago
registry.example.com/mirror/library/nginx:1.27   mirror   ClusterImageSetMirror/main                         sha256:cccccccccccc

Copy at registry.example.com/mirror/library/nginx:1.27
  Copied:      2026-11-20T10:00:00Z (2h ago), all, 73.4 MB
  Platforms:   linux/amd64
  Kept:        720h after its last use
  Workflow:    keep/registry.example.com/mirror/library/nginx:1.27

CLAIMED BY     WHAT                                             FOR                          HEARD
this cluster   registry.example.com/mirror/library/nginx:1.27   ClusterImageSetMirror/main
paris          destinations shared with this cluster                                         4h ago

More: kuik logs docker.io/library/nginx:1.27, kuik ui docker.io/library/nginx:1.27
`);
  });

  test('where copies are shared tells which cluster claims which of them', () => {
    const record = aRecord({ places: [origin, aCopy(copy, { rule: 'ClusterImageSetMirror/main' })] });
    const claim = { cluster: 'berlin', image: record.image, rules: ['ClusterImageSetMirror/main'], state: 'live', expiresAt: '2026-11-22T12:00:00Z', heardAt: '2026-11-20T11:00:00Z' } as const;
    const claims = () => [claim, { ...claim, cluster: 'oslo', state: 'released' } as const, { ...claim, cluster: 'paris', state: 'expired', heardAt: '2026-11-17T12:00:00Z' } as const];
    const description = descriptionOf({ record, standing: standingOf(record), users: [] }, { events: [], claims });

    expect(descriptionText(description, { claimants: [{ cluster: 'paris', heardAt: '2026-11-17T12:00:00Z' }], self: 'berlin', now })).toContain(`
CLAIMED BY              WHAT                                             FOR                          HEARD
berlin (this cluster)   registry.example.com/mirror/library/nginx:1.27   ClusterImageSetMirror/main   1h ago
paris                   registry.example.com/mirror/library/nginx:1.27   ClusterImageSetMirror/main   3d ago, expired

`);
    readDocument('ImageDescriptionList', JSON.stringify({ apiVersion: 'cli.kuik.enix.io/v1', kind: 'ImageDescriptionList', claimants: [], items: [description] }));
  });

  test('-o wide has every Pod, and whole digests', () => {
    const pods = Array.from({ length: 25 }, (_each, at) => aPod({ name: `web-${at}` }));
    const record = aRecord({ pods: 25, places: [origin, aCopy(copy)] });

    expect(descriptionText(described(record, pods), { claimants: [], now })).toMatch(/\n\.\.\. and 5 more, with -o wide\n/);
    const wide = descriptionText(described(record, pods), { claimants: [], now, form: 'wide' });
    expect(wide.match(/shop\/web-/g)).toHaveLength(25);
    expect(wide).toMatch(/sha256:c{64}\n/);
  });

  test('says why a copy failed, and what to do', () => {
    const failure = { code: 'denied', message: 'push refused', since: '2026-11-20T10:00:00Z', attempts: 4 } as const;
    const page = descriptionText(described(aRecord({ places: [origin, { reference: copy, role: 'mirror', failure }] })), { claimants: [], now });

    expect(page).toMatch(/Trouble: +copy failed, denied: push refused\n/);
    expect(page).toMatch(/Failed: +denied: push refused \(4 times since 2026-11-20T10:00:00Z\)\n {2}Next step: +The credentials are valid.*kuik retry/);
  });

  test('of an unused image says since when, and when it goes', () => {
    const page = descriptionText(described(aRecord({ pods: 0, unusedSince: '2026-11-20T00:00:00Z', expiresAt: '2026-12-20T00:00:00Z', places: [origin, aCopy(copy)] }), []), { claimants: [], now });

    expect(page).toMatch(/Used by: +nobody since 2026-11-20T00:00:00Z \(12h\)\n/);
    expect(page).toMatch(/Goes: +2026-12-20T00:00:00Z\n/);
  });

  test('is data as its schema says', () => {
    const item = described(aRecord({ places: [origin, aCopy(copy, { missingPlatforms: ['linux/arm64'] })], keepUntil: 'forever' }));

    readDocument('ImageDescriptionList', JSON.stringify({ apiVersion: 'cli.kuik.enix.io/v1', kind: 'ImageDescriptionList', claimants: [], items: [item] }));
  });
});

describe('the next check', () => {
  const minute = 60_000;
  const tracked = (image: string, checkedAt?: string): TrackedImage => {
    const ref = knownImageRef(image);
    const name = imageName(ref);
    return { image: name, ref, by: ['all'], isChecked: true, original: true, records: [name], ...(checkedAt === undefined ? {} : { seen: { state: 'Available', checkedAt } }) };
  };
  const pace = () => ({ intervalMs: 60 * minute, maxPerInterval: 6 }); // one every ten minutes
  const row = [tracked('a:1', '2026-11-20T11:58:00Z'), tracked('b:1', '2026-11-20T11:48:00Z'), tracked('c:1', '2026-11-20T11:38:00Z'), tracked('quay.io/x/y:1')];
  const at = (image: string) => nextCheckOf(imageName(knownImageRef(image)), row, pace, now);

  test.each<[string, string, string, number]>([
    ['checked longest ago comes one tick after the last check', 'c:1', '2026-11-20T12:08:00.000Z', 1],
    ['behind it comes a tick later', 'b:1', '2026-11-20T12:18:00.000Z', 2],
    ['checked last waits for the whole row', 'a:1', '2026-11-20T12:28:00.000Z', 3],
    ['of another registry does not wait for this one', 'quay.io/x/y:1', '2026-11-20T12:00:00.000Z', 1],
  ])('of the image %s', (_sentence, image, time, place) => {
    expect(at(image)).toMatchObject({ at: time, place });
  });

  test('of an image that no rule monitors is unknown', () => {
    expect(nextCheckOf('docker.io/library/other:1' as ImageName, row, pace, now)).toBeUndefined();
  });
});

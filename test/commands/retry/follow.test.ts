import { describe, expect, test } from '@jest/globals';
import { failedOf, whyNothingToCopy } from '../../../src/commands/retry/choose.js';
import { frameOf } from '../../../src/commands/retry/display.js';
import { Following, type Copy } from '../../../src/commands/retry/follow.js';
import { copiesDocument, copiesNames, copiesTable, exitCodeOf, sumText } from '../../../src/commands/retry/report.js';
import type { ImageName } from '../../../src/domain/image-ref.js';
import type { ImageRecord, PlaceFailure, PlaceRecord } from '../../../src/domain/record.js';
import { digestOf, nginx } from '../../support/keeper.js';

const mirror = 'registry.example.com/mirror/library/nginx:1.27' as ImageName;
const spare = 'spare.example.com/library/nginx:1.27' as ImageName;
const [noon, later, request] = ['2026-09-01T12:00:00.000Z', '2026-09-01T18:00:00.000Z', '2026-09-01T17:59:00.000Z'];
const failure: PlaceFailure = { code: 'missing', message: 'manifest missing on source docker.io', since: noon, attempts: 2 };

function aRecord(places: readonly Partial<PlaceRecord>[], some: Partial<ImageRecord> = {}): ImageRecord {
  return { name: 'nginx', image: nginx, pods: 1, places: places.map((place) => ({ reference: mirror, role: 'mirror', ...place })), ...some };
}

describe('how a copy stands that was asked for', () => {
  const before = aRecord([{ triedAt: noon, failure }], { requestedAt: request });

  test.each<[string, ImageRecord | undefined, Copy['result']]>([
    ['while the manager has not seen the request', before, 'asked'],
    ['once it has, and the copy waits or runs', aRecord([{ triedAt: noon, failure }]), 'waiting'],
    ['when somebody asked once more meanwhile', aRecord([{ triedAt: noon, failure }], { requestedAt: later }), 'waiting'],
    ['when it ended well', aRecord([{ triedAt: later, digest: digestOf('a') }]), 'copied'],
    ['when it failed again', aRecord([{ triedAt: later, failure }]), 'failed'],
    ['when it ended before the request was taken off', aRecord([{ triedAt: later, failure }], { requestedAt: request }), 'asked'],
    ['when no rule wants it any more', aRecord([]), 'unwanted'],
    ['when the record is gone', undefined, 'unwanted'],
  ])('%s', (_when, now, result) => {
    const following = new Following();
    following.ask(before);

    following.see(now === undefined ? { type: 'gone', key: 'nginx' } : { type: 'put', key: 'nginx', object: now });

    expect(following.copies.map((copy) => copy.result)).toEqual([result]);
    expect(following.isOver).toBe(result !== 'asked' && result !== 'waiting');
  });

  test('a first copy has ended as soon as anything was tried', () => {
    const following = new Following();
    following.ask(aRecord([{}], { requestedAt: request }));

    following.see({ type: 'put', key: 'nginx', object: aRecord([{}]) });
    expect(following.isOver).toBe(false);
    following.see({ type: 'put', key: 'nginx', object: aRecord([{ triedAt: later }]) });
    expect(following.copies[0]?.result).toBe('copied');
  });

  test('each mirror of an image is followed on its own; other records are not', () => {
    const following = new Following();
    following.ask(aRecord([{ triedAt: noon }, { reference: spare, triedAt: noon }], { requestedAt: request }));

    expect(following.see({ type: 'put', key: 'other', object: aRecord([{ triedAt: later }]) })).toBe(false);
    expect(following.see({ type: 'put', key: 'nginx', object: aRecord([{ triedAt: later }, { reference: spare, triedAt: noon }]) })).toBe(true);

    expect(following.copies.map(({ destination, result }) => [destination, result])).toEqual([[mirror, 'copied'], [spare, 'waiting']]);
  });
});

describe('which images are retried', () => {
  const failed = aRecord([{ failure }]);

  test.each<[string, ImageRecord, string | undefined, boolean]>([
    ['one whose copy failed', failed, undefined, true],
    ['one whose copy is there', aRecord([{}]), undefined, false],
    ['none that nobody uses', { ...failed, pods: 0 }, undefined, false],
    ['one that comes from the registry', failed, 'docker.io', true],
    ['one that comes from the registry, by its other name', failed, 'index.docker.io', true],
    ['one that failed on its way to the registry', failed, 'registry.example.com', true],
    ['none of another registry', failed, 'quay.io', false],
    ['none whose copy failed at another mirror', aRecord([{ failure }, { reference: spare }]), 'spare.example.com', false],
  ])('%s', (_which, record, registry, isChosen) => {
    expect(failedOf([record], registry)).toEqual(isChosen ? [record] : []);
  });

  test('an image without a user or a mirror has nothing to copy, and is told why', () => {
    expect(whyNothingToCopy(failed)).toBeUndefined();
    expect(whyNothingToCopy({ ...failed, pods: 0 })).toMatch(/^docker.io\/library\/nginx:1.27: no Pod uses it.*kuik pin/);
    expect(whyNothingToCopy(aRecord([{ role: 'origin' }]))).toMatch(/no rule mirrors it; check spec.filter/);
  });
});

describe('what is printed', () => {
  const copies: readonly Copy[] = [
    { image: nginx, record: 'nginx', destination: mirror, result: 'copied', digest: digestOf('a') },
    { image: nginx, record: 'nginx', destination: spare, result: 'failed', failure },
    { image: nginx, record: 'other', destination: spare, result: 'waiting' },
  ];

  test('a line per copy, and what to do about those that failed', () => {
    expect(copiesTable(copies, 'none')).toBe(
      `IMAGE                          DESTINATION                                      RESULT    WHY
docker.io/library/nginx:1.27   registry.example.com/mirror/library/nginx:1.27   copied    sha256:aaaaaaaaaaaa
docker.io/library/nginx:1.27   spare.example.com/library/nginx:1.27             failed    missing: manifest missing on source docker.io; check the name and the tag; some registries want the repository created first
docker.io/library/nginx:1.27   spare.example.com/library/nginx:1.27             waiting
`,
    );
  });

  test('the same as data, and as names that kubectl takes', () => {
    expect(copiesDocument(copies)).toMatchObject({ apiVersion: 'cli.kuik.enix.io/v1', kind: 'RetryResultList', items: [{ result: 'copied' }, { result: 'failed', failure: { code: 'missing' }, nextStep: expect.stringContaining('check the name') }, {}] });
    expect(copiesNames(copies)).toBe('imageavailability.kuik.enix.io/nginx\nimageavailability.kuik.enix.io/other\n');
  });

  test('what is waited for comes first, no line is wider than the terminal, and no more lines than it has', () => {
    const many = Array.from({ length: 30 }, () => copies).flat();

    const frame = frameOf(many, { columns: 60, rows: 8 });

    expect(frame).toHaveLength(8);
    expect(frame[0]).toMatch(/^waiting {2}spare/);
    expect(frame.at(-2)).toBe('... and 84 more');
    expect(frame.at(-1)).toBe('30 of 90 copied, 30 failed, 30 waiting');
    expect(Math.max(...frame.map(({ length }) => length))).toBeLessThan(60);
  });

  test('the exit code says whether it is over, and how', () => {
    expect(sumText(copies)).toBe('1 of 3 copied, 1 failed, 1 waiting');
    expect([copies, copies.slice(0, 2), copies.slice(0, 1), []].map(exitCodeOf)).toEqual([1, 2, 0, 0]);
  });
});

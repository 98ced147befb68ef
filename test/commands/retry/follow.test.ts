import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { askAll } from '../../../src/commands/retry/ask-all.js';
import { chosenBy, failedOf, type Chosen } from '../../../src/commands/retry/choose.js';
import { frameOf, openResultsDisplay } from '../../../src/commands/retry/display.js';
import { Following, type Copy } from '../../../src/commands/retry/follow.js';
import { FollowingChecks, type Check } from '../../../src/commands/retry/follow-checks.js';
import { Followed } from '../../../src/commands/retry/followed.js';
import { exitCodeOf, exitCodeOfAsking, resultsDocument, resultsNames, resultsTable, sumText } from '../../../src/commands/retry/report.js';
import { whyNotChecked } from '../../../src/commands/retry/resting.js';
import { Failure } from '../../../src/domain/failure.js';
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

describe('thousands of copies', () => {
  const count = 5_000;
  const records = Array.from({ length: count }, (_, index) => aRecord([{ triedAt: noon, failure }], { name: `image-${index}`, requestedAt: request }));

  test('cost a change of one of them no look at the others', () => {
    let looks = 0;
    const counted = { ...failure, toJSON: () => ((looks += 1), failure) };
    const following = new Following();
    for (const record of records) following.ask(record);

    for (const { name } of records) {
      expect(following.see({ type: 'put', key: name, object: aRecord([{ triedAt: later, failure: counted }], { name }) })).toBe(true);
      expect(following.isOver).toBe(name === `image-${count - 1}`);
    }

    expect(looks).toBeLessThanOrEqual(2 * count);
    expect(following.copies.filter(({ result }) => result === 'failed')).toHaveLength(count);
  });

  test('are drawn together, however many change in a moment', async () => {
    let reads = 0;
    const drawn: string[] = [];
    const terminal = Object.assign(new Writable({ write: (chunk, _encoding, done) => (drawn.push(String(chunk)), done()) }), { columns: 80, rows: 24 });
    const display = openResultsDisplay(terminal, 'list', () => ((reads += 1), { copies: [], checks: [] }));

    for (let change = 0; change < count; change += 1) display.changed();
    await sleep(300);
    display.close();

    expect(reads).toBe(2); // at the start, and once for all of them
    expect(drawn.length).toBeGreaterThan(1);
  });
});

describe('asking for many', () => {
  const records = Array.from({ length: 20 }, (_, index) => aRecord([{ triedAt: noon, failure }], { name: `image-${index}`, image: `docker.io/library/image:${index}` as ImageName }));
  const refusal = (code: 'throttled' | 'denied' | 'missing', message: string): Failure => new Failure({ code, side: 'cluster', message });

  interface Answers {
    readonly [index: number]: Failure;
  }

  async function askFor(answers: Answers | Failure, chosen: readonly Chosen[] = records.map((record) => ({ record, what: 'copies' as const }))): Promise<{ readonly followed: Followed; readonly asked: string[] }> {
    const followed = new Followed();
    const asked: string[] = [];
    const annotateRecord = async (image: ImageName): Promise<ImageRecord> => {
      asked.push(image);
      const index = records.findIndex((record) => record.image === image);
      const refused = answers instanceof Failure ? answers : answers[index];
      if (refused !== undefined) throw refused;
      return { ...records[index]!, requestedAt: request };
    };
    await askAll(chosen, followed, { cluster: { annotateRecord }, dryRun: 'none', signal: new AbortController().signal, now: () => Date.parse(request) });
    return { followed, asked };
  }

  test('one whose record is gone meanwhile is wanted by nobody, one that is refused says why, and the others are followed', async () => {
    const { followed } = await askFor({ 0: refusal('missing', 'imageavailabilities image-0 not found'), 2: refusal('throttled', 'too many requests') });

    expect(followed.results.copies.map(({ result }) => result)).toEqual(['unwanted', 'asked', 'refused', ...Array.from({ length: 17 }, () => 'asked')]);
    expect(followed.results.copies[2]).toMatchObject({ message: 'too many requests' });
    expect(followed.isOver).toBe(false);
    expect(exitCodeOfAsking(followed.results)).toBe(1);
    expect(resultsTable({ ...followed.results, copies: followed.results.copies.slice(2, 3) }, { dryRun: 'none' })).toMatch(/refused +too many requests; ask again with kuik retry docker\.io\/library\/image:2\n$/);
    expect(exitCodeOf({ copies: followed.results.copies.slice(2, 3), checks: [] })).toBe(1);
  });

  test('the same of a check', async () => {
    const { followed } = await askFor({ 0: refusal('missing', 'gone'), 1: refusal('throttled', 'too many requests') }, records.slice(0, 3).map((record) => ({ record, what: 'check' })));

    expect(followed.results.checks.map(({ result, message }) => [result, message])).toEqual([['untracked', undefined], ['refused', 'too many requests'], ['asked', undefined]]);
    expect(resultsTable(followed.results, { dryRun: 'none' })).toContain('too many requests; ask again with kuik retry docker.io/library/image:1\n');
    expect(frameOf(followed.results, { columns: 100, rows: 10 })).toContain('refused     docker.io/library/image:1   too many requests');
    expect(followed.isOver).toBe(false);
  });

  test('nobody else is asked for by whom the first round was refused, and that is the answer', async () => {
    await expect(askFor(refusal('denied', 'not allowed to patch imageavailabilities'))).rejects.toMatchObject({ code: 'denied' });
  });

  test('an API server that goes half-way is not asked for the rest, which is said to be refused', async () => {
    const gone = new Failure({ code: 'unreachable', side: 'cluster', message: 'API server not reachable' });

    const { followed, asked } = await askFor(Object.fromEntries(records.map((_, index) => [index, gone] as const).slice(8)));

    expect(asked).toHaveLength(16);
    expect(followed.results.copies.filter(({ result, message }) => result === 'refused' && message === 'API server not reachable')).toHaveLength(12);
  });

  test('a limit of requests is over in a moment: everybody is asked for', async () => {
    const { followed, asked } = await askFor(refusal('throttled', 'too many requests'));

    expect(asked).toHaveLength(20);
    expect([followed.isOver, exitCodeOf(followed.results)]).toEqual([true, 1]);
  });
});

/** An image that a `ClusterImageSetAvailability` tracks, and no rule mirrors. */
function aTracked(origin: Partial<PlaceRecord> = {}, some: Partial<ImageRecord> = {}): ImageRecord {
  return { name: 'nginx', image: nginx, pods: 1, trackedBy: ['critical'], places: [{ reference: nginx, role: 'origin', ...origin }], ...some };
}

describe('how a check stands that was asked for', () => {
  const before = aTracked({ state: 'NotFound', checkedAt: noon }, { requestedAt: request });

  test.each<[string, ImageRecord | undefined, Partial<Check>]>([
    ['while the manager has not seen the request', before, { result: 'asked' }],
    ['once it has, and the check waits or is under way', aTracked({ state: 'NotFound', checkedAt: noon }), { result: 'waiting' }],
    ['when it was never checked before', aTracked(), { result: 'waiting' }],
    ['when it can be pulled', aTracked({ state: 'Available', checkedAt: later, digest: digestOf('a') }), { result: 'available', digest: digestOf('a') }],
    ['when it still cannot', aTracked({ state: 'NotFound', checkedAt: later, checkFailure: 'not found on docker.io' }), { result: 'unavailable', state: 'NotFound', message: 'not found on docker.io' }],
    ['when it was checked before the request was taken off', aTracked({ state: 'Available', checkedAt: later }, { requestedAt: request }), { result: 'asked' }],
    ['when no rule tracks it any more', aTracked({ state: 'NotFound', checkedAt: noon }, { trackedBy: undefined }), { result: 'untracked' }],
    ['when the record is gone', undefined, { result: 'untracked' }],
  ])('%s', (_when, now, expected) => {
    const following = new FollowingChecks();
    following.ask(before);

    following.see(now === undefined ? { type: 'gone', key: 'nginx' } : { type: 'put', key: 'nginx', object: now });

    expect(following.checks).toEqual([expect.objectContaining({ image: nginx, record: 'nginx', ...expected })]);
    expect(following.isOver).toBe(expected.result !== 'asked' && expected.result !== 'waiting');
  });

  test('other records are not followed, and what is the same is no news', () => {
    const following = new FollowingChecks();
    following.ask(before);

    expect(following.see({ type: 'put', key: 'other', object: aTracked({ checkedAt: later }) })).toBe(false);
    expect(following.see({ type: 'synced' })).toBe(false);
    expect(following.see({ type: 'put', key: 'nginx', object: before })).toBe(false);
    expect(following.see({ type: 'put', key: 'nginx', object: aTracked({ state: 'NotFound', checkedAt: noon }) })).toBe(true);
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
    ['none of what is no registry, but the first part of a path at Docker Hub', failed, 'quay', false],
    ['none whose copy failed at another mirror', aRecord([{ failure }, { reference: spare }]), 'spare.example.com', false],
  ])('%s', (_which, record, registry, isChosen) => {
    expect(failedOf([record], registry)).toEqual(isChosen ? [{ record, what: 'copies' }] : []);
  });

  test.each<[string, ImageRecord, string | undefined, boolean]>([
    ['one that is only monitored, and could not be pulled', aTracked({ state: 'NotFound' }), undefined, true],
    ['one of the registry that is named', aTracked({ state: 'Unreachable' }), 'docker.io', true],
    ['none of another registry', aTracked({ state: 'Unreachable' }), 'quay.io', false],
    ['none that can be pulled', aTracked({ state: 'Available' }), undefined, false],
    ['none that nobody has looked at', aTracked(), undefined, false],
    ['none that nobody uses', aTracked({ state: 'NotFound' }, { pods: 0 }), undefined, false],
    ['none that nobody monitors', aTracked({ state: 'NotFound' }, { trackedBy: [] }), undefined, false],
  ])('of those that have no copy: %s', (_which, record, registry, isChosen) => {
    expect(failedOf([record], registry)).toEqual(isChosen ? [{ record, what: 'check' }] : []);
  });

  test.each<[string, 'retry' | 'mirror', ImageRecord, 'copies' | 'check' | RegExp]>([
    ['copies of an image that has some', 'retry', failed, 'copies'],
    ['copies also where it is monitored as well', 'retry', { ...failed, trackedBy: ['critical'] }, 'copies'],
    ['a check of one that is only monitored', 'retry', aTracked(), 'check'],
    ['a check of one that nobody uses any more, and that is still monitored', 'retry', { ...failed, pods: 0, trackedBy: ['critical'] }, 'check'],
    ['nothing of one that nobody uses', 'retry', { ...failed, pods: 0 }, /^docker.io\/library\/nginx:1.27: no Pod uses it.*kuik pin/],
    ['nothing of one that somebody paused', 'retry', { ...failed, paused: true, trackedBy: ['critical'] }, /somebody paused it; kuik resume docker.io/],
    ['nothing of one that no rule wants', 'retry', aRecord([{ role: 'origin' }]), /no rule mirrors or monitors it; check spec.filter/],
    ['no copies of one that is only monitored, but a way to have it checked', 'mirror', aTracked(), /no rule mirrors it, it is only monitored; check spec.filter .*kuik retry docker.io/],
  ])('of an image that is named: %s', (_what, command, record, expected) => {
    const chosen = chosenBy(command, record);

    if (expected instanceof RegExp) expect(chosen).toMatch(expected);
    else expect(chosen).toEqual({ record, what: expected });
  });

  describe('when what monitors an image rests', () => {
    const rules = ['critical', 'other'].map((name) => ({ kind: 'ClusterImageSetAvailability' as const, key: name, name, uid: name, generation: 1, spec: { suspend: name === 'critical', filter: { include: [{ image: '.+' }] } } }));
    const reading = { list: (async () => rules) as never };

    test('nothing is checked, and it is said which rule to resume', async () => {
      const why = await whyNotChecked([{ record: aTracked(), what: 'check' }], reading);

      expect(why.get('nginx')).toMatch(/nginx:1.27: what monitors it is suspended .*ClusterImageSetAvailability\/critical.*kuik resume cisa\/critical/);
    });

    test('it is checked all the same for another rule, or where rules may not be read; and copies are none of its business', async () => {
      const denied = { list: (async () => Promise.reject(new Failure({ code: 'denied', side: 'cluster', message: 'no' }))) as never };

      expect((await whyNotChecked([{ record: aTracked({}, { trackedBy: ['critical', 'other'] }), what: 'check' }], reading)).size).toBe(0);
      expect((await whyNotChecked([{ record: aTracked(), what: 'check' }], denied)).size).toBe(0);
      expect((await whyNotChecked([{ record: failed, what: 'copies' }], reading)).size).toBe(0);
    });
  });
});

describe('what is printed', () => {
  const copies: readonly Copy[] = [
    { image: nginx, record: 'nginx', destination: mirror, result: 'copied', digest: digestOf('a') },
    { image: nginx, record: 'nginx', destination: spare, result: 'failed', failure },
    { image: nginx, record: 'other', destination: spare, result: 'waiting' },
  ];

  const checks: readonly Check[] = [
    { image: nginx, record: 'nginx', result: 'available', state: 'Available', digest: digestOf('a') },
    { image: nginx, record: 'other', result: 'unavailable', state: 'Unreachable', message: 'no connection to docker.io' },
  ];

  test('a line per check, below those of copies, and what to do about those that cannot be pulled', () => {
    expect(resultsTable({ copies: copies.slice(0, 1), checks }, { dryRun: 'none' })).toBe(
      `IMAGE                          DESTINATION                                      RESULT   WHY
docker.io/library/nginx:1.27   registry.example.com/mirror/library/nginx:1.27   copied   sha256:aaaaaaaaaaaa

IMAGE                          CHECK         WHY
docker.io/library/nginx:1.27   available     sha256:aaaaaaaaaaaa
docker.io/library/nginx:1.27   unavailable   Unreachable: no connection to docker.io; check the way from the cluster to docker.io; it is checked again by itself
`,
    );
  });

  test('a line per copy, and what to do about those that failed', () => {
    expect(resultsTable({ copies, checks: [] }, { dryRun: 'none' })).toBe(
      `IMAGE                          DESTINATION                                      RESULT    WHY
docker.io/library/nginx:1.27   registry.example.com/mirror/library/nginx:1.27   copied    sha256:aaaaaaaaaaaa
docker.io/library/nginx:1.27   spare.example.com/library/nginx:1.27             failed    missing: manifest missing on source docker.io; check the name and the tag; some registries want the repository created first
docker.io/library/nginx:1.27   spare.example.com/library/nginx:1.27             waiting
`,
    );
  });

  test('-o wide has the record, whole digests, and how long it fails', () => {
    const lines = resultsTable({ copies, checks }, { dryRun: 'none', form: 'wide' }).split('\n');

    expect(lines[0]).toMatch(/RESULT +RECORD +DIGEST +FAILS-SINCE +ATTEMPTS +WHY$/);
    expect(lines[1]).toMatch(/copied +nginx +sha256:a{64} /);
    expect(lines[2]).toMatch(/failed +nginx +2026-09-01T12:00:00.000Z +2 +missing: /);
    expect(lines[6]).toMatch(/available +nginx +sha256:a{64} /);
  });

  test('the same as data, and as names that kubectl takes', () => {
    expect(resultsDocument({ copies, checks })).toMatchObject({
      apiVersion: 'cli.kuik.enix.io/v1',
      kind: 'RetryResultList',
      items: [{ result: 'copied' }, { result: 'failed', failure: { code: 'missing' }, nextStep: expect.stringContaining('check the name') }, {}],
      checks: [{ result: 'available' }, { result: 'unavailable', state: 'Unreachable', nextStep: expect.stringContaining('docker.io') }],
    });
    expect(resultsNames({ copies, checks })).toBe('imageavailability.kuik.enix.io/nginx\nimageavailability.kuik.enix.io/other\n');
  });

  test('what is waited for comes first, no line is wider than the terminal, and no more lines than it has', () => {
    const many = Array.from({ length: 30 }, () => copies).flat();

    const frame = frameOf({ copies: many, checks }, { columns: 60, rows: 8 });

    expect(frame).toHaveLength(7); // the cursor waits on the eighth
    expect(frame[0]).toMatch(/^waiting {2}spare/);
    expect(frame.at(-2)).toBe('... and 87 more');
    expect(frame.at(-1)).toBe('30 of 90 copied, 30 failed, 30 waiting; 1 of 2 available, 1');
    expect(Math.max(...frame.map(({ length }) => length))).toBeLessThan(60);
  });

  test('the exit code says whether it is over, and how', () => {
    expect(sumText({ copies, checks: [] })).toBe('1 of 3 copied, 1 failed, 1 waiting');
    expect(sumText({ copies: [], checks })).toBe('1 of 2 available, 1 unavailable');
    expect([copies, copies.slice(0, 2), copies.slice(0, 1), []].map((some) => exitCodeOf({ copies: some, checks: [] }))).toEqual([1, 2, 0, 0]);
    expect([checks, checks.slice(0, 1), [{ ...checks[0]!, result: 'waiting' as const }]].map((some) => exitCodeOf({ copies: copies.slice(0, 1), checks: some }))).toEqual([2, 0, 1]);
  });
});

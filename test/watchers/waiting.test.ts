import { describe, expect, test } from '@jest/globals';
import { planMirrors } from '../../src/domain/mirror.js';
import { knownImageRef } from '../../src/domain/image-ref.js';
import type { Condition, PlaceRecord } from '../../src/domain/record.js';
import type { Rule } from '../../src/domain/rule.js';
import { Waiting } from '../../src/watchers/waiting.js';
import { aCopy, aMirrorRule, aPod, aRecord } from '../support/builders.js';

const t0 = Date.parse('2026-11-21T10:00:00Z');
const minutes = 60_000;
const reference = 'registry.example.com/mirror/library/nginx:1.27';

function picture(now: number, place?: PlaceRecord, rules: readonly Rule[] = [aMirrorRule()], conditions?: readonly Condition[]) {
  const records = place === undefined ? [] : [aRecord({ places: [place], conditions })];
  const used = [{ ref: knownImageRef('nginx:1.27'), users: [aPod()] }];
  const plan = planMirrors({ used, rules, records, podsPulling: () => 0, pulled: [], settings: { platforms: [], retentionMs: 0 } });
  return { plan, records, now };
}

const failing = aCopy(reference, { mirroredAt: undefined, failure: { code: 'denied', message: 'no', since: new Date(t0 - 60 * minutes).toISOString(), attempts: 9 } });

const pending = aCopy(reference, { mirroredAt: undefined });
const unmirrored: Condition = { type: 'Mirrored', status: 'False', reason: 'Pending', message: 'no copy yet', lastTransitionTime: '2026-11-21T08:30:00Z' };

describe('the oldest copy that waits', () => {
  test('grows older until it is there', () => {
    const waiting = new Waiting();

    waiting.look(picture(t0));
    waiting.look(picture(t0 + 2 * minutes));
    expect(waiting.oldest(t0 + 3 * minutes)).toEqual([{ registry: 'registry.example.com', seconds: 180 }]);

    waiting.look(picture(t0 + 4 * minutes, aCopy(reference)));
    expect(waiting.oldest(t0 + 5 * minutes)).toEqual([{ registry: 'registry.example.com', seconds: 0 }]);
  });

  test('is none that has failed: that is told elsewhere, and tried again by itself', () => {
    const waiting = new Waiting();

    waiting.look(picture(t0));
    waiting.look(picture(t0 + minutes, failing));

    expect(waiting.oldest(t0 + 2 * minutes)).toEqual([{ registry: 'registry.example.com', seconds: 0 }]);
  });

  test('is as old as its record says when another manager takes the lead', () => {
    const waiting = new Waiting();

    waiting.look(picture(t0, pending, [aMirrorRule()], [unmirrored]));
    waiting.look(picture(t0 + minutes, pending, [aMirrorRule()], [unmirrored]));

    expect(waiting.oldest(t0 + minutes)).toEqual([{ registry: 'registry.example.com', seconds: 91 * 60 }]);
  });

  test('is as old as its record says when the lead comes back', () => {
    const waiting = new Waiting();
    waiting.look(picture(t0 - 24 * 60 * minutes, pending));

    waiting.forget();
    expect(waiting.oldest(t0)).toEqual([]);
    waiting.look(picture(t0, pending, [aMirrorRule()], [unmirrored]));

    expect(waiting.oldest(t0)).toEqual([{ registry: 'registry.example.com', seconds: 90 * 60 }]);
  });

  test.each([
    ['of an image of which another copy failed: the record may tell of that one', [aRecord({ places: [pending, { ...failing, reference: 'other.example.com/nginx:1.27' }], conditions: [unmirrored] })]],
    ['of an image without a record', []],
    ['of an image whose record has not been told of it yet', [aRecord({ places: [pending], conditions: [{ ...unmirrored, status: 'True', reason: 'NotWanted' }] })]],
    ['of an image whose record was written by a clock that is ahead', [aRecord({ places: [pending], conditions: [{ ...unmirrored, lastTransitionTime: '2026-11-21T11:00:00Z' }] })]],
  ])('begins to wait when a new leader sees it, %s', (_sentence, records) => {
    const waiting = new Waiting();

    waiting.look({ ...picture(t0), records });

    expect(waiting.oldest(t0 + minutes)).toEqual([{ registry: 'registry.example.com', seconds: 60 }]);
  });

  test('begins to wait when it is wanted, whatever was missing of its image before', () => {
    const waiting = new Waiting();

    waiting.look(picture(t0 - minutes, undefined, []));
    waiting.look(picture(t0, pending, [aMirrorRule()], [unmirrored]));

    expect(waiting.oldest(t0 + minutes)).toEqual([{ registry: 'registry.example.com', seconds: 60 }]);
  });

  test('is none while its rule rests', () => {
    const waiting = new Waiting();

    waiting.look(picture(t0, failing, [aMirrorRule({ suspended: true })]));

    expect(waiting.oldest(t0)).toEqual([]);
  });
});

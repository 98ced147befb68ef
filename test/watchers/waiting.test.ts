import { describe, expect, test } from '@jest/globals';
import { planMirrors } from '../../src/domain/mirror.js';
import { knownImageRef } from '../../src/domain/image-ref.js';
import type { PlaceRecord } from '../../src/domain/record.js';
import type { Rule } from '../../src/domain/rule.js';
import { Waiting } from '../../src/watchers/waiting.js';
import { aCopy, aMirrorRule, aPod, aRecord } from '../support/builders.js';

const t0 = Date.parse('2026-11-21T10:00:00Z');
const minutes = 60_000;
const reference = 'registry.example.com/mirror/library/nginx:1.27';

function picture(now: number, place?: PlaceRecord, rules: readonly Rule[] = [aMirrorRule()]) {
  const records = place === undefined ? [] : [aRecord({ places: [place] })];
  const used = [{ ref: knownImageRef('nginx:1.27'), users: [aPod()] }];
  const plan = planMirrors({ used, rules, records, podsPulling: () => 0, pulled: [], settings: { platforms: [], retentionMs: 0 } });
  return { plan, records, now };
}

const failing = aCopy(reference, { mirroredAt: undefined, failure: { code: 'denied', message: 'no', since: new Date(t0 - 60 * minutes).toISOString(), attempts: 9 } });

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

  test('is none while its rule rests', () => {
    const waiting = new Waiting();

    waiting.look(picture(t0, failing, [aMirrorRule({ suspended: true })]));

    expect(waiting.oldest(t0)).toEqual([]);
  });
});

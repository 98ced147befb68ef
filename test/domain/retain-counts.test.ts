import { describe, expect, test } from '@jest/globals';
import type { ImageRecord, PlaceRecord } from '../../src/domain/record.js';
import { countRetained, type RetainCounts } from '../../src/domain/retain-counts.js';
import { aCopy, aRecord } from '../support/builders.js';

const noon = '2026-11-20T12:00:00Z';
const copyAt = (host: string, some: Partial<PlaceRecord> = {}): PlaceRecord => aCopy(`${host}/mirror/library/nginx:1.27`, { mirroredAt: noon, ...some });
const blocked = (reason: 'pinned' | 'in-use') => ({ blocked: { reason, message: 'it stays', since: noon, attempts: 1 } });
const unused = (places: PlaceRecord[], some: Partial<ImageRecord> = {}): ImageRecord => aRecord({ pods: 0, unusedSince: noon, places, ...some });

describe('copies on their way out', () => {
  test.each<[string, ImageRecord[], RetainCounts]>([
    ['are counted by registry while their clock runs', [unused([copyAt('a.example.com'), copyAt('b.example.com')], { expiresAt: noon })], { expiring: [{ registry: 'a.example.com', count: 1 }, { registry: 'b.example.com', count: 1 }], blocked: [] }],
    ['are not those that are wanted', [aRecord({ places: [copyAt('a.example.com')] })], { expiring: [], blocked: [] }],
    ['are not those that were never made', [unused([copyAt('a.example.com', { mirroredAt: undefined })], { expiresAt: noon })], { expiring: [], blocked: [] }],
    ['are counted by reason, too, when something keeps them', [unused([copyAt('a.example.com', blocked('in-use'))], { expiresAt: noon })], { expiring: [{ registry: 'a.example.com', count: 1 }], blocked: [{ registry: 'a.example.com', reason: 'in-use', count: 1 }] }],
    ['are counted by reason when they are pinned for ever, and have no end', [unused([copyAt('a.example.com', blocked('pinned'))], { keepUntil: 'forever' })], { expiring: [], blocked: [{ registry: 'a.example.com', reason: 'pinned', count: 1 }] }],
    ['are counted by reason when the image is in use elsewhere', [aRecord({ places: [copyAt('a.example.com', blocked('in-use'))] })], { expiring: [], blocked: [{ registry: 'a.example.com', reason: 'in-use', count: 1 }] }],
  ])('%s', (_sentence, records, expected) => {
    expect(countRetained(records)).toEqual(expected);
  });
});

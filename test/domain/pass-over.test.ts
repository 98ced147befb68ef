import { describe, expect, test } from '@jest/globals';
import { imageName, knownImageRef, placeIdentity } from '../../src/domain/image-ref.js';
import { passOver, passOverReasons, type PlaceKnowledge } from '../../src/domain/pass-over.js';
import { aCandidate, aCopy, aPlace } from '../support/builders.js';

const secret = { namespace: 'kuik-system', name: 'pull' };
const { text } = aCandidate('mirror');
const other = imageName(knownImageRef('quay.io/library/nginx:1.27'));
const conflict = { code: 'conflict', message: 'taken', since: '2026-11-20T10:00:00Z', attempts: 1 } as const;

describe('a place is passed over without probing', () => {
  test.each<[string, PlaceKnowledge, string | undefined]>([
    ['not while nothing speaks against it', {}, undefined],
    ['not while its copy is well', { record: aCopy(text), holder: aCandidate('origin').image }, undefined],
    ['when it is about to be deleted', { record: aCopy(text, { retiringSince: '2026-11-20T10:00:00Z' }) }, 'Retiring'],
    ["when another image's copy is there", { holder: other }, 'HeldByAnotherImage'],
    ['when its copy was refused because something else is there', { record: aPlace({ reference: text, failure: conflict }) }, 'HeldByAnotherImage'],
    ['not when a later copy was refused, but an earlier one is there', { record: aCopy(text, { failure: conflict }) }, undefined],
    ['not when its copy failed in another way', { record: aPlace({ reference: text, failure: { ...conflict, code: 'timeout' } }) }, undefined],
    ['when its Secret is missing', { secret: 'missing' }, 'SecretMissing'],
    ['when its Secret can no longer be given to the Pod', { secret: 'not-named' }, 'SecretNotNamed'],
    ['not when its Secret can be used', { secret: 'usable' }, undefined],
    ["when its copy lacks the Pod's platform", { record: aCopy(text, { platforms: ['linux/amd64'] }), platform: { architecture: 'arm64' } }, 'PlatformMissing'],
    ["not when its copy has the Pod's platform", { record: aCopy(text, { platforms: ['linux/amd64', 'linux/arm64/v8'] }), platform: { architecture: 'arm64' } }, undefined],
    ['not when the platforms of its copy are unknown', { record: aCopy(text), platform: { architecture: 'arm64' } }, undefined],
    ['not when the Pod states no platform', { record: aCopy(text, { platforms: ['linux/amd64'] }) }, undefined],
  ])('%s', (_sentence, known, reason) => {
    expect(passOver(aCandidate('mirror', { secret }), known)).toBe(reason);
    if (reason !== undefined) expect(passOverReasons).toContain(reason);
  });

  test('a place that needs no Secret lacks none', () => {
    expect(passOver(aCandidate('mirror'), { secret: 'missing' })).toBeUndefined();
  });

  test("a replica is nobody's destination", () => {
    expect(passOver(aCandidate('replica'), { holder: other })).toBeUndefined();
  });

  test('a pinned place holds what its digest says, whoever put it there', () => {
    const pinned = knownImageRef(`${text}@sha256:${'ab'.repeat(32)}`);

    expect(passOver(aCandidate('mirror', { ref: pinned, place: placeIdentity(pinned) }), { holder: other })).toBeUndefined();
  });

  test('the origin never is: its Pod pulls from there without us', () => {
    expect(passOver(aCandidate('origin', { secret }), { record: aCopy(text, { retiringSince: 'now', platforms: ['linux/amd64'] }), holder: other, secret: 'missing', platform: { os: 'windows' } })).toBeUndefined();
  });
});

import { describe, expect, test } from '@jest/globals';
import type { Fact } from '../../src/domain/availability.js';
import { Place } from '../../src/webhook/place.js';
import { aCandidate } from '../support/builders.js';

const seen = (state: Fact['state']): Fact => ({ state, identity: 'anonymous', checkedAt: 0 });
const never = new Promise<never>(() => undefined);

/** A place somebody asked, and what it answered; `silence` while it has not. */
async function asked(answer: Fact | 'silence'): Promise<Place> {
  const place = new Place(aCandidate('mirror'));
  const asking = place.ask({ ask: () => (answer === 'silence' ? never : Promise.resolve(answer)) });
  if (answer !== 'silence') await asking;
  return place;
}

describe('what is told of a place', () => {
  test.each([
    ['that nobody asked is unasked', () => new Place(aCandidate('mirror')), 'late', { verdict: 'unasked' }],
    ['that answered first is chosen', () => asked(seen('Available')), 'chosen', { verdict: 'chosen' }],
    ['that has it behind the chosen one is as good as unasked', () => asked(seen('Available')), 'late', { verdict: 'unasked' }],
    ['that lacks it is unavailable', () => asked(seen('NotFound')), 'late', { verdict: 'unavailable' }],
    ['that was still being asked when an earlier one was chosen is nothing to complain about', () => asked('silence'), 'late', { verdict: 'unasked', note: 'not waited for: an earlier place was chosen' }],
    ['that did not answer before the chosen one counts as unavailable', () => asked('silence'), 'early', { verdict: 'unavailable', note: 'no answer in time' }],
  ] as const)('%s', async (_sentence, place, standing, expected) => {
    const { verdict, note } = (await place()).report(standing);

    expect({ verdict, ...(note === undefined ? {} : { note }) }).toEqual(expected);
  });

  test('that cannot be used is skipped, and why', () => {
    const place = new Place(aCandidate('mirror'));
    place.drop('secret shop/pull not found');

    expect(place.report('early')).toMatchObject({ verdict: 'skipped', passedOver: 'SecretMissing', note: 'secret shop/pull not found' });
  });
});

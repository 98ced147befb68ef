import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { availabilityStates, type AvailabilityState } from '../../src/domain/availability.js';
import { routeReasons } from '../../src/domain/names.js';
import { route, settle, type Route } from '../../src/domain/route.js';
import { knowing, someCandidates } from '../support/builders.js';

type States = Readonly<Record<string, AvailabilityState | undefined>>;

/** What a route says, in words: verdict, reason, and the names of places. */
function told(decided: Route): readonly string[] {
  const name = (text: string): string => (text.startsWith('docker.io/') ? 'origin' : (text.split('.')[0] ?? ''));
  if (decided.verdict === 'ask') return ['ask', ...decided.about.map(({ text }) => name(text))];
  return [decided.verdict, decided.reason, ...(decided.verdict === 'rewrite' ? [name(decided.to.text)] : [])];
}

describe('a route', () => {
  test.each<[string, readonly string[], States, readonly string[]]>([
    ['keeps the only origin without asking', ['origin'], {}, ['keep', 'OnlyOrigin']],
    ['keeps the only origin although it is gone', ['origin'], { origin: 'NotFound' }, ['keep', 'OnlyOrigin']],
    ['keeps the origin while it answers', ['origin', 'mirror'], { origin: 'Available' }, ['keep', 'OriginAvailable']],
    ['does not ask about a mirror behind an origin that answers', ['origin', 'mirror'], { origin: 'Available', mirror: undefined }, ['keep', 'OriginAvailable']],
    ['moves to the mirror when the origin is gone', ['origin', 'mirror'], { origin: 'NotFound', mirror: 'Available' }, ['rewrite', 'OriginUnavailable', 'mirror']],
    ['moves to the mirror when the origin is out of quota', ['origin', 'mirror'], { origin: 'QuotaExceeded', mirror: 'Available' }, ['rewrite', 'OriginUnavailable', 'mirror']],
    ['asks about the origin before settling for a mirror', ['origin', 'mirror'], { mirror: 'Available' }, ['ask', 'origin']],
    ['asks about everything when nothing is known', ['origin', 'mirror'], {}, ['ask', 'origin', 'mirror']],
    ['takes a place that was never checked for unknown', ['origin', 'mirror'], { origin: 'Scheduled', mirror: 'Scheduled' }, ['ask', 'origin', 'mirror']],
    ['asks only about places before the first that answers', ['a', 'b', 'c', 'origin'], { b: 'Unreachable', c: 'Available' }, ['ask', 'a']],
    ['asks about the rest when what is known does not answer', ['a', 'b', 'origin'], { a: 'NotFound' }, ['ask', 'b', 'origin']],
    ['prefers a place ranked before the origin', ['mirror', 'origin'], { mirror: 'Available' }, ['rewrite', 'PlacePreferred', 'mirror']],
    ['prefers it while the origin answers too', ['mirror', 'origin'], { mirror: 'Available', origin: 'Available' }, ['rewrite', 'PlacePreferred', 'mirror']],
    ['takes the second preferred place when the first does not answer', ['a', 'b', 'origin'], { a: 'Unreachable', b: 'Available' }, ['rewrite', 'PlacePreferred', 'b']],
    ['keeps the origin when the preferred place does not answer', ['mirror', 'origin'], { mirror: 'NotFound', origin: 'Available' }, ['keep', 'PreferredUnavailable']],
    ['keeps the text of the user when no place answers', ['mirror', 'origin'], { mirror: 'NotFound', origin: 'NotFound' }, ['keep', 'NoPlaceAvailable']],
    ['asks the single replica of a discarded origin', ['replica'], {}, ['ask', 'replica']],
    ['moves to the replica of a discarded origin', ['replica'], { replica: 'Available' }, ['rewrite', 'OriginDiscarded', 'replica']],
    ['keeps a discarded origin when its replica does not answer', ['replica'], { replica: 'InvalidAuth' }, ['keep', 'NoPlaceAvailable']],
    ['keeps a discarded origin that nothing replaces', [], {}, ['keep', 'NoPlaceAvailable']],
  ])('%s', (_sentence, names, states, expected) => {
    expect(told(route(someCandidates(...names), knowing(states)))).toEqual(expected);
  });

  test.each<[string, readonly string[], States, readonly string[]]>([
    ['is asked even when it is the only place', ['origin'], {}, ['ask', 'origin']],
    ['gets its canonical text when it answers', ['origin'], { origin: 'Available' }, ['rewrite', 'V1Reference', 'origin']],
    ['gets it although a preferred place did not answer', ['mirror', 'origin'], { mirror: 'NotFound', origin: 'Available' }, ['rewrite', 'V1Reference', 'origin']],
    ['moves to a preferred mirror as any other', ['mirror', 'origin'], { mirror: 'Available' }, ['rewrite', 'PlacePreferred', 'mirror']],
    ['keeps its text when nothing answers', ['origin'], { origin: 'Unreachable' }, ['keep', 'NoPlaceAvailable']],
  ])("a name of v1's proxy %s", (_sentence, names, states, expected) => {
    expect(told(route(someCandidates(...names), knowing(states), { isV1: true }))).toEqual(expected);
  });
});

describe('settling without time to ask', () => {
  test.each<[string, readonly string[], States, readonly string[]]>([
    ['takes a lower place that is known to answer', ['a', 'b', 'origin'], { b: 'Available' }, ['rewrite', 'PlacePreferred', 'b']],
    ['takes the unknown origin for unavailable', ['origin', 'mirror'], { mirror: 'Available' }, ['rewrite', 'OriginUnavailable', 'mirror']],
    ['keeps the text of the user when nothing is known', ['origin', 'mirror'], {}, ['keep', 'NoPlaceAvailable']],
    ['keeps the origin behind an unknown place', ['mirror', 'origin'], { origin: 'Available' }, ['keep', 'PreferredUnavailable']],
    ['keeps the only origin', ['origin'], {}, ['keep', 'OnlyOrigin']],
  ])('%s', (_sentence, names, states, expected) => {
    expect(told(settle(someCandidates(...names), knowing(states)))).toEqual(expected);
  });
});

const someNames = fc.shuffledSubarray(['origin', 'a', 'b', 'c', 'replica']);
const someStates = fc.dictionary(fc.constantFrom('origin', 'a', 'b', 'c', 'replica'), fc.constantFrom(...availabilityStates));
const circumstances = fc.record({ isV1: fc.boolean() });

describe('whatever the candidates and whatever is known', () => {
  test('a route moves only to the first place that is available', () => {
    fc.assert(
      fc.property(someNames, someStates, circumstances, (names, states, situation) => {
        const decided = route(someCandidates(...names), knowing(states), situation);
        if (decided.verdict !== 'rewrite') return;

        expect(told(decided).at(-1)).toBe(names.find((name) => states[name] === 'Available'));
      }),
    );
  });

  test('whether a rule is followed or not, a reason is from the closed list', () => {
    fc.assert(
      fc.property(someNames, someStates, circumstances, (names, states, situation) => {
        expect(routeReasons).toContain(settle(someCandidates(...names), knowing(states), situation).reason);
      }),
    );
  });

  test('what is asked is unknown, and any answer to it leads to a decision', () => {
    const answer = fc.constantFrom(...availabilityStates.filter((state) => state !== 'Scheduled'));
    fc.assert(
      fc.property(someNames, someStates, circumstances, fc.infiniteStream(answer), (names, states, situation, answers) => {
        const candidates = someCandidates(...names);
        const known = knowing(states);
        const asked = route(candidates, known, situation);
        if (asked.verdict !== 'ask') return;

        for (const { place } of asked.about) {
          expect([undefined, 'Scheduled']).toContain(known.get(place));
          known.set(place, answers.next().value as AvailabilityState);
        }
        expect(route(candidates, known, situation).verdict).not.toBe('ask');
      }),
    );
  });

  test('every place asked about can win', () => {
    fc.assert(
      fc.property(someNames, someStates, circumstances, (names, states, situation) => {
        const candidates = someCandidates(...names);
        const asked = route(candidates, knowing(states), situation);

        for (const candidate of asked.verdict === 'ask' ? asked.about : []) {
          const decided = settle(candidates, new Map([...knowing(states), [candidate.place, 'Available' as const]]), situation);
          expect(decided.verdict === 'rewrite' ? decided.to.place : candidates.find(({ role }) => role === 'origin')?.place).toBe(candidate.place);
        }
      }),
    );
  });

  test('places that were not asked about cannot change the decision', () => {
    fc.assert(
      fc.property(someNames, someStates, circumstances, fc.constantFrom(...availabilityStates), (names, states, situation, state) => {
        const candidates = someCandidates(...names);
        const known = knowing(states);
        const decided = route(candidates, known, situation);
        if (decided.verdict === 'ask') return;

        const more = new Map(candidates.map(({ place }) => [place, known.get(place) ?? state]));
        expect(settle(candidates, more, situation)).toEqual(decided);
      }),
    );
  });

  test('a decision is the same when it is taken again with time running out', () => {
    fc.assert(
      fc.property(someNames, someStates, circumstances, (names, states, situation) => {
        const decided = route(someCandidates(...names), knowing(states), situation);
        if (decided.verdict !== 'ask') expect(settle(someCandidates(...names), knowing(states), situation)).toEqual(decided);
      }),
    );
  });
});

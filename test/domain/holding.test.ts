import { describe, expect, test } from '@jest/globals';
import type { AvailabilityState } from '../../src/domain/availability.js';
import { holdingOf, type Holding } from '../../src/domain/holding.js';
import { standingOf } from '../../src/domain/image-standing.js';
import { mirrorPrefixes } from '../../src/domain/mirror-prefix.js';
import type { PlaceRecord, PlaceRole } from '../../src/domain/record.js';
import { risksOf } from '../../src/domain/risk.js';
import { aMirrorRule, aPlace, aPod, aRecord, aReplicaRule } from '../support/builders.js';

const [image, mirror, replica] = ['docker.io/library/nginx:1.27', 'registry.example.com/mirror/library/nginx:1.27', 'replica.example.com/library/nginx:1.27'];
const at = '2026-11-21T10:00:00Z';
const failed = (code: 'missing' | 'denied', side: 'source' | 'destination') => ({ failure: { code, side, message: 'so', since: at, attempts: 1 } });

type Said = Partial<Omit<PlaceRecord, 'reference' | 'role'>>;

describe('a place', () => {
  test.each<[string, PlaceRole, Said | undefined, Said, Holding]>([
    ['an origin that a check has seen', 'origin', { state: 'Available' }, {}, 'yes'],
    ['an origin that a check did not find', 'origin', { state: 'NotFound' }, {}, 'no'],
    ['an origin that is limited', 'origin', { state: 'QuotaExceeded' }, {}, 'no'],
    ['an origin that nobody has looked at', 'origin', {}, {}, 'unknown'],
    ['an origin whose turn has not come', 'origin', { state: 'Scheduled' }, {}, 'unknown'],
    ['an origin no record speaks of', 'origin', undefined, {}, 'unknown'],
    ['an origin that a copy found missing', 'origin', {}, failed('missing', 'source'), 'no'],
    ['an origin that a check has seen since a copy found it missing', 'origin', { state: 'Available' }, failed('missing', 'source'), 'yes'],
    ['an origin whose copy failed otherwise', 'origin', {}, failed('denied', 'destination'), 'unknown'],
    ['a verified copy', 'mirror', { mirroredAt: at }, {}, 'yes'],
    ['a verified copy that a check has seen since', 'mirror', { mirroredAt: at, state: 'Available' }, {}, 'yes'],
    ['a verified copy whose next check has not come', 'mirror', { mirroredAt: at, state: 'Scheduled' }, {}, 'yes'],
    ['a verified copy that a check did not find', 'mirror', { mirroredAt: at, state: 'NotFound' }, {}, 'no'],
    ['a copy that is about to be deleted', 'mirror', { mirroredAt: at, retiringSince: at }, {}, 'no'],
    ['a copy that is only wanted', 'mirror', {}, {}, 'no'],
    ['a copy no record speaks of', 'mirror', undefined, {}, 'no'],
    ['a replica that a check has seen', 'replica', { state: 'Available' }, {}, 'yes'],
    ['a replica that a check did not find', 'replica', { state: 'NotFound' }, {}, 'no'],
    ['a replica that nobody has looked at', 'replica', {}, {}, 'unknown'],
  ])('%s', (_sentence, role, said, beside, expected) => {
    const place = said === undefined ? undefined : aPlace({ reference: image, role, ...said });

    expect(holdingOf(role, place, [...(place === undefined ? [] : [place]), aPlace({ reference: mirror, role: 'mirror', ...beside })])).toBe(expected);
  });
});

describe('kuik status, kuik images and the metrics say the same of an image', () => {
  const states: readonly (AvailabilityState | undefined)[] = [undefined, 'Scheduled', 'Available', 'NotFound', 'Unreachable', 'InvalidAuth'];
  const copies: readonly (Said | undefined)[] = [undefined, {}, failed('missing', 'source'), failed('denied', 'destination'), { mirroredAt: at }, { mirroredAt: at, state: 'Scheduled' }, { mirroredAt: at, state: 'NotFound' }, { mirroredAt: at, retiringSince: at }, { mirroredAt: at, ...failed('missing', 'source') }];
  const replicas: readonly (Said | undefined)[] = [undefined, {}, { state: 'Available' }, { state: 'NotFound' }];
  const rules = [aMirrorRule(), aReplicaRule()];
  const stateOf = (state: AvailabilityState | undefined): Said => (state === undefined ? {} : { state });

  /** Whether the metrics count it, where rules offer all of its places. */
  function isNowhere(places: readonly PlaceRecord[], offered: typeof rules): boolean {
    const record = aRecord({ places });
    const { unavailable } = risksOf({ pods: [aPod()], rules: () => offered, prefixes: mirrorPrefixes(offered), record: (name) => (name === record.image ? record : undefined), namespaceLabels: () => ({}), skip: { labels: [], annotations: [], namespaces: [] }, v1ProxyPort: 7439 });
    return unavailable.size > 0;
  }

  test.each(states)('whose origin is %s: whatever copy and replica it has, both say "nowhere", or neither does', (state) => {
    const said = copies.flatMap((copy) =>
      replicas.map((other) => {
        const places = [aPlace({ reference: image, role: 'origin', ...stateOf(state) }), ...(copy === undefined ? [] : [aPlace({ reference: mirror, role: 'mirror', ...copy })]), ...(other === undefined ? [] : [aPlace({ reference: replica, role: 'replica', ...other })])];
        const offered = rules.filter(({ type }) => (type === 'mirror' ? copy : other) !== undefined);
        return { copy, other, status: standingOf(aRecord({ places, pods: 1 })).pullable === 'no', metric: isNowhere(places, offered) };
      }),
    );

    expect(said.filter(({ status, metric }) => status !== metric)).toEqual([]);
    expect(said.some(({ status }) => status)).toBe(state !== 'Available');
  });
});

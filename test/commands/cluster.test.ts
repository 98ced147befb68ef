import { expect, test } from '@jest/globals';
import { questionFor } from '../../src/commands/cluster/forget.js';
import { agoText, knownOf } from '../../src/commands/cluster/known.js';
import { clustersTable } from '../../src/commands/cluster/list.js';
import { t0 } from '../support/keeper.js';

const before = (hours: number): string => new Date(t0 - hours * 3_600_000).toISOString();
const [berlin, paris, rome] = [
  { id: 'berlin', claims: 12, heardAt: before(0) },
  { id: 'paris', claims: 7, heardAt: before(20) },
  { id: 'rome', claims: 1, heardAt: before(100) },
] as const;

test('clusters are listed with how many claims they have, and since when they are silent', () => {
  expect(clustersTable({ v: 1, self: 'berlin', at: before(0), clusters: [berlin, paris, rome] }, t0)).toBe(
    `CLUSTER   CLAIMS   HEARD      STATE
berlin    12       0s ago     this cluster
paris     7        20h ago    alive
rome      1        4d4h ago   silent
as of 2026-09-01T12:00:00.000Z
`,
  );
});

test('before there was any claim the list says so, and how to have a new one', () => {
  expect(clustersTable({ v: 1, self: 'berlin', at: before(0), clusters: [] }, t0)).toMatch(/^no claim was held .*Trigger of sweep\/berlin/);
});

test.each([[before(0.5), '30m'], [before(24), '1d'], [before(-1), '0s']])('%s was %s ago', (heardAt, text) => {
  expect(agoText(heardAt, t0)).toBe(text);
});

test('who is about to forget a cluster is told what that means', () => {
  expect(questionFor('rome', rome, t0)).toMatch(/^rome claims 1 copies together with this cluster; it was heard of 4d4h ago\. Nothing waits for it/);
  expect(questionFor('paris', paris, t0)).toMatch(/seems to live, and then claims again within a day/);
  expect(questionFor('nowhere', undefined, t0)).toMatch(/claims nothing that this cluster claims too/);
});

test('what somebody wrote into the ConfigMap by hand is as if it were not there', () => {
  expect(knownOf({ data: { 'clusters.json': '{"v":1,"clusters":7}', 'forgotten.json': '{' } })).toEqual({});
  expect(knownOf({ data: { 'clusters.json': JSON.stringify({ v: 1, self: 'berlin', at: before(0), clusters: [] }) } })).toMatchObject({ report: { self: 'berlin' } });
});

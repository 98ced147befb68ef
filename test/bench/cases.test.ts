import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { requestsAnswered } from '../../bench/support/access-log.js';
import type { Case, Contender, Round } from '../../bench/support/bench.js';
import { chosenCases } from '../../bench/support/cases.js';
import { playCase } from '../../bench/support/round.js';

const never = async (): Promise<Case> => Promise.reject(new Error('not to be made'));

describe('cases of a benchmark', () => {
  const all = { small: never, large: async () => never() };

  test.each([
    ['all unless told', undefined, [all.small, all.large]],
    ['only those asked for', ['large'], [all.large]],
    ['in the order of the benchmark', ['large', 'small'], [all.small, all.large]],
  ])('%s', (_sentence, names, makers) => {
    expect(chosenCases(all, names)).toEqual(makers);
  });

  test.each(['medium', 'toString'])('one that does not exist is named, with those that do: %s', (name) => {
    expect(() => chosenCases(all, [name])).toThrow(`--case ${name}: known are small, large`);
  });
});

describe('rounds of a case', () => {
  const played: string[] = [];

  function aContender(name: string): Contender {
    return {
      name,
      prepare: async (round: Round) => ({
        run: async () => void played.push(`${name} ${round}`),
        traffic: () => ({}),
        readings: () => ({ played: played.length }),
        check: async () => undefined,
        clean: async () => undefined,
      }),
    };
  }

  const aCase: Case = { name: 'case', title: '', contenders: ['kuik', 'crane'].map(aContender), figures: [], conditions: {} };

  afterEach(() => void played.splice(0));

  test('contenders take turns, and the first round is kept apart', async () => {
    const { discarded, counted } = await playCase(aCase, 2, () => undefined);

    expect(played).toEqual(['kuik warm-up', 'crane warm-up', 'kuik timed', 'crane timed', 'kuik timed', 'crane timed']);
    expect(discarded.get('kuik')?.readings).toEqual({ played: 1 });
    expect(counted.get('crane')?.map(({ readings }) => readings)).toEqual([{ played: 4 }, { played: 6 }]);
  });
});

describe('requests a registry has answered', () => {
  test('are the access lines of its log, of any version of HTTP, and nothing else in it', () => {
    const dir = mkdtempSync(join(tmpdir(), 'kuik-access-log-'));
    const logFile = join(dir, 'registry.log');
    writeFileSync(
      logFile,
      [
        'time="2026-11-21T05:47:16Z" level=warning msg="No HTTP secret provided"',
        '127.0.0.1 - - [21/Nov/2026:05:47:16 +0000] "GET /v2/ HTTP/1.1" 200 2 "" "Go-http-client/1.1"',
        '127.0.0.1 - - [21/Nov/2026:05:47:16 +0000] "HEAD /v2/small/app-000/manifests/1.0 HTTP/2.0" 200 2048 "" "crane/0.22.1 GET / HTTP/1.1"',
        '',
      ].join('\n'),
    );

    expect(requestsAnswered({ logFile })).toBe(2);
    rmSync(dir, { recursive: true });
  });
});

import { describe, expect, test } from '@jest/globals';
import { exitCodeOf, type Copied, type NotCopied, type Outcome } from '../../../src/commands/copy/outcome.js';
import { complain, report } from '../../../src/commands/copy/report.js';
import type { ImageName } from '../../../src/domain/image-ref.js';
import { aDigest } from './digests.js';
import { readDocument } from '../../support/documents.js';

const names = { source: 'quay.io/acme/api:v4' as ImageName, destination: 'r.io/acme/api:v4' as ImageName };

function aCopy(changes: Partial<Copied> = {}): Copied {
  return { verdict: 'copied', ...names, digest: aDigest('api'), strategy: 'all', platforms: ['linux/amd64'], missingPlatforms: [], bytes: 3 * 1024 * 1024, ...changes };
}

const aFailure: NotCopied = {
  verdict: 'failed',
  ...names,
  failure: { code: 'unauthorized', side: 'source', host: 'quay.io', message: 'manifest acme/api:v4 not found or no access on source quay.io' },
  message: 'manifest acme/api:v4 not found or no access on source quay.io',
};

describe('the exit code', () => {
  test.each<[string, Outcome[], number]>([
    ['is 0 when all is there', [aCopy(), aCopy({ verdict: 'current' })], 0],
    ['is 2 when a platform is missing', [aCopy(), aCopy({ missingPlatforms: ['linux/s390x'] })], 2],
    ['is 1 when one failed, whatever else is missing', [aCopy({ missingPlatforms: ['linux/s390x'] }), aFailure], 1],
    ['is 130 when it was interrupted', [aFailure, { verdict: 'interrupted', ...names, message: 'interrupted' }], 130],
  ])('%s', (_sentence, outcomes, code) => {
    expect(exitCodeOf(outcomes)).toBe(code);
  });
});

describe('the result', () => {
  test('is a table for people', async () => {
    expect(await report([aCopy()], 'table', 'one')).toBe(
      `DESTINATION        RESULT   ${'DIGEST'.padEnd(71)}   PLATFORMS     MISSING   SENT\nr.io/acme/api:v4   copied   ${aDigest('api')}   linux/amd64   -         3.0 MiB\n`,
    );
  });

  test('of one image is one JSON document with version and kind', async () => {
    expect(readDocument('CopyResult', await report([aCopy()], 'json', 'one'))).toMatchObject({ apiVersion: 'cli.kuik.enix.io/v1', kind: 'CopyResult', verdict: 'copied', digest: aDigest('api'), bytes: 3145728 });
  });

  test('of a list is a list, also when it has one item', async () => {
    expect(readDocument('CopyResultList', await report([aCopy()], 'json', 'list'))).toMatchObject({ kind: 'CopyResultList', items: [{ kind: 'CopyResult' }] });
  });

  test('of a failed copy holds code, side and the next step', async () => {
    expect(readDocument('CopyResult', await report([aFailure], 'json', 'one'))).toMatchObject({ verdict: 'failed', failure: { code: 'unauthorized', side: 'source' }, nextStep: expect.stringContaining('docker login quay.io') });
  });

  test('of a failed copy holds what its schema says of a failure, and nothing else', async () => {
    const unasked: NotCopied = { ...aFailure, failure: { code: 'throttled', side: 'source', host: 'quay.io', message: 'quay.io asked to be left alone', retryAfterMs: 5_000, isUnasked: true, isRepeated: true } };

    const { failure } = readDocument<{ failure: object }>('CopyResult', await report([unasked], 'json', 'one'));

    expect(Object.keys(failure).sort()).toEqual(['code', 'host', 'message', 'retryAfterMs', 'side']);
  });

  test('as names can be given to another program', async () => {
    expect(await report([aCopy(), aFailure], 'name', 'list')).toBe(`r.io/acme/api:v4@${aDigest('api')}\n`);
  });

  test('is YAML for those who ask for it', async () => {
    expect(await report([aCopy()], 'yaml', 'one')).toContain('kind: CopyResult\nverdict: copied\n');
  });

  test('of nothing copied prints no empty table', async () => {
    expect(await report([aFailure], 'table', 'one')).toBe('');
  });
});

test('a complaint names both images, what failed where, and the next step', () => {
  expect(complain(aFailure)).toBe(
    'quay.io/acme/api:v4 -> r.io/acme/api:v4: manifest acme/api:v4 not found or no access on source quay.io; log in with docker login quay.io, and check the name: registries hide what one may not see',
  );
});

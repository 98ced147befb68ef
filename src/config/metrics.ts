import { z } from 'zod';
import { whole } from './value-types.js';

const number = (description: string) => z.number().meta({ description });

const legacy = z
  .strictObject({
    bucketType: z.enum(['', 'exponential', 'exponentialRange', 'custom', 'disabled']).meta({ description: 'How the buckets are made.' }).default('exponential'),
    start: number('exponential: the first bucket, in minutes; above 0.').default(1),
    factor: number('exponential: from one bucket to the next; above 1.').default(1.94),
    count: z.int().meta({ description: 'exponential, exponentialRange: how many buckets; at least 1.' }).default(12),
    min: number('exponentialRange: the first bucket, in minutes; above 0.').default(1),
    max: number('exponentialRange: the last bucket, in minutes; above min.').default(1440),
    custom: z.array(number('minutes')).meta({ description: 'custom: the buckets in minutes, ascending.' }).default([1, 5, 10, 30, 60, 120, 180, 360, 720, 1440]),
  })
  .superRefine((written, context) => {
    for (const [key, message] of bucketProblems(written)) context.addIssue({ code: 'custom', path: [key], message });
  })
  .prefault({});

const noEffect = 'Accepted without effect: it shaped a native histogram of v2.';

export const metrics = z
  .strictObject({
    imageLastMonitorAgeMinutes: z
      .strictObject({
        bucketFactor: number(noEffect).default(1.1),
        zeroThreshold: number(noEffect).default(1),
        maxBucketNumber: whole(noEffect).default(20),
        legacy,
      })
      .prefault({}),
  })
  .prefault({});

interface Legacy {
  readonly bucketType: '' | 'exponential' | 'exponentialRange' | 'custom' | 'disabled';
  readonly start: number;
  readonly factor: number;
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly custom: readonly number[];
}

/** Only what the chosen type uses is checked. */
function bucketProblems({ bucketType, start, factor, count, min, max, custom }: Legacy): readonly (readonly [keyof Legacy, string])[] {
  const check = (isSane: boolean, key: keyof Legacy, problem: string) => (isSane ? [] : [[key, problem] as const]);
  switch (bucketType) {
    case '':
    case 'exponential':
      return [...check(start > 0, 'start', 'must be above 0'), ...check(factor > 1, 'factor', 'must be above 1'), ...check(count >= 1, 'count', 'must be at least 1')];
    case 'exponentialRange':
      return [...check(min > 0, 'min', 'must be above 0'), ...check(max > min, 'max', 'must be above min'), ...check(count >= 1, 'count', 'must be at least 1')];
    case 'custom':
      return [...check(custom.length > 0, 'custom', 'must not be empty'), ...check(isAscending(custom), 'custom', 'must be strictly ascending')];
    case 'disabled':
      return [];
  }
}

function isAscending(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || value > (values[index - 1] ?? value));
}

/** Upper bounds in minutes, ascending. */
export function readBuckets({ bucketType, start, factor, count, min, max, custom }: Legacy): readonly number[] | 'disabled' {
  const grown = (from: number, by: number): number[] => Array.from({ length: count }, (_, index) => from * by ** index);
  switch (bucketType) {
    case '':
    case 'exponential':
      return grown(start, factor);
    case 'exponentialRange':
      return count === 1 ? [min] : grown(min, (max / min) ** (1 / (count - 1)));
    case 'custom':
      return custom;
    case 'disabled':
      return 'disabled';
  }
}

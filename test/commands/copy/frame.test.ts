import { describe, expect, test } from '@jest/globals';
import { drawBars, formatBytes, formatSeconds, sumLine } from '../../../src/commands/copy/frame.js';
import { ProgressBoard, sumUp } from '../../../src/commands/copy/progress.js';
import { Rate } from '../../../src/commands/copy/rate.js';
import type { ImageName } from '../../../src/domain/image-ref.js';
import { aDigest } from './digests.js';

const mib = 1024 * 1024;
const [web, api] = ['r.io/shop/web:1.0', 'r.io/shop/api:2.0'] as ImageName[] as [ImageName, ImageName];

function aBoard(): ProgressBoard {
  const board = new ProgressBoard([web, api]);
  board.plan(web, [
    { digest: aDigest('amd64'), label: 'linux/amd64', bytes: 100 * mib, blobs: 4 },
    { digest: aDigest('arm64'), label: 'linux/arm64', bytes: 300 * mib, blobs: 4 },
  ]);
  board.advance(web, 1, { v: 1, blobsDone: 1, blobsTotal: 4, bytesDone: 75 * mib, bytesTotal: 300 * mib });
  return board;
}

describe('progress', () => {
  test('is summed over images and their parts', () => {
    expect(sumUp(aBoard().images)).toEqual({ images: 2, imagesDone: 0, imagesFailed: 0, blobs: 8, blobsDone: 1, bytes: 400 * mib, bytesDone: 75 * mib, isComplete: false });
  });

  test('reads as one line in a log', () => {
    expect(sumLine(sumUp(aBoard().images), { perSecond: 25 * mib })).toBe('0 of 2 images, 1 of 8 blobs, 75.0 MiB of 400.0 MiB, 25.0 MiB/s');
  });

  test('promises a time only when every image has been looked at', () => {
    const board = aBoard();
    board.enter(api, 'done');

    expect(sumLine(sumUp(board.images), { perSecond: 25 * mib })).toMatch(/1 of 2 images.*, 13s left$/);
  });

  test('has a bar per platform under way, the sum last, and never a line that wraps', () => {
    const board = aBoard();
    const lines = drawBars(board.images, sumUp(board.images), { perSecond: undefined }, { columns: 200, rows: 50 });

    expect(lines).toEqual([
      'web:1.0 linux/amd64 [                        ]   0 %  0/4 blobs  0 B/100.0 MiB',
      'web:1.0 linux/arm64 [======                  ]  25 %  1/4 blobs  75.0 MiB/300.0 MiB',
      '0 of 2 images, 1 of 8 blobs, 75.0 MiB of 400.0 MiB',
    ]);
  });

  test('where there is little room says less, and always how far it is', () => {
    const board = aBoard();
    board.enter(api, 'done');
    const drawn = (columns: number): readonly string[] => drawBars(board.images, sumUp(board.images), { perSecond: 25 * mib }, { columns, rows: 50 });

    expect(drawn(80)[1]).toBe('web:1.0 linux/arm64 [==        ]  25 %  75.0 MiB/300.0 MiB');
    expect(drawn(40)).toEqual(['web:1.0 linux/amd64 [        ]   0 %', 'web:1.0 linux/arm64 [==      ]  25 %', '1/2, 75.0 MiB/400.0 MiB, 13s left']);
    expect(drawn(30)[1]).toBe(' 25 % web:1.0 linux/arm64');
    for (const columns of [80, 40, 30, 10, 2]) for (const line of drawn(columns)) expect(line.length).toBeLessThan(columns);
  });

  test('says how many bars it does not show', () => {
    const images = Array.from({ length: 20 }, (_, at) => `r.io/app-${at}:1` as ImageName);
    const board = new ProgressBoard(images);
    for (const image of images) board.plan(image, [{ digest: aDigest(image), label: 'linux/amd64', bytes: 1, blobs: 1 }]);

    const lines = drawBars(board.images, sumUp(board.images), { perSecond: undefined }, { columns: 80, rows: 50 });

    expect(lines).toHaveLength(14);
    expect(lines.at(-2)).toBe('... and 8 more');
    expect(drawBars(board.images, sumUp(board.images), { perSecond: undefined }, { columns: 80, rows: 8 })).toHaveLength(7);
  });
});

describe('the rate', () => {
  test('is that of the last seconds, not of the whole copy', () => {
    const rate = new Rate();
    for (let second = 0; second <= 60; second++) rate.sample(second < 30 ? second * 100 * mib : 3000 * mib, second * 1000);

    expect(rate.perSecond()).toBe(0);
  });

  test('is unknown before two moments', () => {
    const rate = new Rate();
    rate.sample(5, 0);

    expect(rate.perSecond()).toBeUndefined();
  });
});

test.each([[0, '0 B'], [512, '512 B'], [1536, '1.5 KiB'], [3 * 1024 ** 3, '3.0 GiB'], [2 ** 60, '1048576.0 TiB']])('%d bytes read as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([[0.2, '1s'], [59, '59s'], [125, '2m05s'], [3720, '1h02m']])('%d seconds read as %s', (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

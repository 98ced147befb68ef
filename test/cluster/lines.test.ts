import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { linesOf } from '../../src/cluster/kubernetes/lines.js';

async function* chunked(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array, void> {
  let from = 0;
  for (const size of [...sizes, bytes.length]) {
    if (from < bytes.length) yield bytes.subarray(from, from + size);
    from += size;
  }
}

async function collect(text: string, sizes: readonly number[] = [], longest = 1000): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(chunked(Buffer.from(text), sizes), longest)) lines.push(line);
  return lines;
}

describe('lines of a stream', () => {
  test('are the same however the bytes are cut, within characters too', async () => {
    const word = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text.replaceAll('\n', '')).toString());
    await fc.assert(
      fc.asyncProperty(fc.array(word), fc.array(fc.integer({ min: 1, max: 7 })), async (lines, sizes) => {
        expect(await collect(lines.map((line) => `${line}\n`).join(''), sizes)).toEqual(lines.filter((line) => line !== ''));
      }),
    );
  });

  test('a last line without an end is half a line, and dropped', async () => {
    expect(await collect('whole\nha')).toEqual(['whole']);
  });

  test.each([
    ['in one piece', []],
    ['in many', [1, 1, 1, 1, 1, 1, 1, 1]],
  ])('an endless line is an error, %s', async (_how, sizes) => {
    await expect(collect('short\n0123456789', sizes, 5)).rejects.toThrow(RangeError);
  });
});

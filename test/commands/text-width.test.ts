import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { columns } from '../../src/commands/columns.js';
import { fitting, padded, printable, widthOf } from '../../src/commands/text-width.js';

describe('the width of a text on a terminal', () => {
  test.each([
    ['plain', 5],
    ['größer', 6],
    ['gro\u0308ßer', 6], // a letter and its dots, as macOS writes them
    ['日本語', 6],
    ['한국어', 6],
    ['ok ✅', 5],
    ['🇫🇷', 2],
    ['👩‍👩‍👧', 2],
    ['a\u200bb', 2], // a blank without width
    ['', 0],
  ])('of %s is %i', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  test('a text is cut where the next character would not fit whole', () => {
    expect(fitting('日本語', 5)).toBe('日本');
    expect(fitting('plain', 3)).toBe('pla');
    expect(fitting('plain', -1)).toBe('');
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, width) => widthOf(fitting(text, width)) <= width && text.startsWith(fitting(text, width))));
  });

  test('columns stay straight whatever stands in them', () => {
    expect(padded('日本', 6)).toBe('日本  ');
    expect(columns([['NAME', 'WHY'], ['日本語', 'x'], ['b', 'y']])).toBe('NAME     WHY\n日本語   x\nb        y\n');
  });
});

test('what somebody else wrote cannot move the cursor, colour the screen, or end a line', () => {
  expect(printable('nginx\u001b[2J\u001b]0;owned\u0007\r\nOK')).toBe('nginx\ufffd[2J\ufffd]0;owned\ufffd\ufffd\ufffdOK');
  expect(printable('gpj.exe\u202egpj')).toBe('gpj.exe\ufffdgpj');
  expect(columns([['A'], ['x\ny']])).toBe('A\nx\ufffdy\n');
});

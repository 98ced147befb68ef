import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { readList, readPair } from '../../../src/commands/copy/list.js';

describe('a list of copies', () => {
  test('has a line per copy; blank lines and comments are skipped', () => {
    const text = '# monday\n\nnginx:1.27  registry.example.com/mirror/nginx:1.27\r\n\tquay.io/a/b:1 registry.example.com/a/b:1 # needed by shop\n';

    expect(readList(text, 'images.txt')).toEqual({
      pairs: [
        { source: 'docker.io/library/nginx:1.27', destination: 'registry.example.com/mirror/nginx:1.27' },
        { source: 'quay.io/a/b:1', destination: 'registry.example.com/a/b:1' },
      ],
    });
  });

  test('names everything that is wrong at once, with its line', () => {
    const text = 'only-one\nquay.io/a:1 r.io/UPPER:1\nquay.io/a:1 r.io/a:1\nquay.io/b:1 r.io/a:1\n';

    expect(readList(text, 'images.txt')).toEqual({
      problems: [
        'images.txt:1: expected two words, SOURCE DESTINATION',
        expect.stringMatching(/^images\.txt:2: destination "r\.io\/UPPER:1" is not an image; write/),
        'images.txt:4: line 3 already copies to r.io/a:1; give one of them another tag',
      ],
    });
  });

  test('without any copy is a mistake', () => {
    expect(readList('# nothing yet\n', 'images.txt')).toEqual({ problems: ['images.txt: holds no copies; write lines of SOURCE DESTINATION'] });
  });

  test('of any text is read without an exception', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      const read = readList(text, 'list');
      return 'pairs' in read ? read.pairs.length > 0 : read.problems.length > 0;
    }));
  });
});

describe('one copy', () => {
  const digest = `sha256:${'a'.repeat(64)}`;

  test.each([
    ['takes the tag of the source', 'quay.io/a/b:v4', 'r.io/a/b', 'r.io/a/b:v4'],
    ['takes latest from a source without tag', 'quay.io/a/b', 'r.io/a/b', 'r.io/a/b:latest'],
    ['keeps its own tag', 'quay.io/a/b:v4', 'r.io/a/b:v5', 'r.io/a/b:v5'],
    ['takes the tag beside a digest', `quay.io/a/b:v4@${digest}`, 'r.io/a/b', 'r.io/a/b:v4'],
  ])('%s', (_sentence, source, destination, expected) => {
    expect(readPair([source, destination])).toMatchObject({ destination: expected });
  });

  test.each([
    ['needs a tag when the source has only a digest', `quay.io/a/b@${digest}`, 'r.io/a/b', /name a tag; source/],
    ['goes to a tag, not to a digest', 'quay.io/a/b:v4', `r.io/a/b@${digest}`, /name a tag instead of a digest/],
    ['needs a source that is an image', 'http://quay.io/a', 'r.io/a/b', /source "http:\/\/quay\.io\/a" is not an image/],
  ])('%s', (_sentence, source, destination, message) => {
    expect(readPair([source, destination])).toMatch(message);
  });
});

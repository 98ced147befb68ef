import { expect, test } from '@jest/globals';
import { readBuild, versionDocument, versionText } from '../../src/commands/version.js';
import { readDocument } from '../support/documents.js';

const stamped = { version: '3.0.0', revision: '1a2b3c4d5e6f', built: '2026-11-28T14:30:00.000Z' };
const checkout = { version: '3.0.0', revision: '', built: '' };

test.each([
  ['names the commit an image was built from', stamped, /^kuik 3\.0\.0, revision 1a2b3c4d5e6f of 2026-11-28T14:30:00\.000Z \(node v24\.\S+, \w+\/\w+\)$/],
  ['of a checkout says no more than it knows', checkout, /^kuik 3\.0\.0 \(node v24\.\S+, \w+\/\w+\)$/],
])('the line %s', (_sentence, build, expected) => {
  expect(versionText(build)).toMatch(expected);
});

test('the document has what the line has, as its schema says', () => {
  expect(readDocument('Version', JSON.stringify(versionDocument(stamped)))).toMatchObject(stamped);
  expect(readDocument('Version', JSON.stringify(versionDocument(checkout)))).not.toHaveProperty('revision');
});

test('here nothing is stamped: tests need no git', () => {
  expect(readBuild()).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/), revision: '', built: '' });
});

/** Texts that could be image references, right and wrong, read by us and by a parser that shares no code with ours. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalText, imageName, parseImageRef, placeIdentity } from '../../../src/domain/image-ref.js';
import { originOf } from '../../../src/domain/v1-proxy.js';
import { readByTheBook } from './reference-oracle.js';

const hex = '0123456789abcdef';
const hosts = ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'quay.io', 'quay.io:443', 'localhost', 'localhost:5000', 'localhost:7439', 'Registry', 'EXAMPLE.com', '10.0.0.5:5000', '[2001:db8::1]:5000', '[::1]', 'foo_bar.com', 'registry', 'a', '-a.com', 'a.com:', 'a.com:port', '[::g]', 'a..b'];
const segments = ['library', 'nginx', 'a', 'a_b', 'c__d', 'e--f', 'a.b', 'a___b', 'a..b', '-a', 'a-', 'A', '', 'registry.example.com-5000', hex.repeat(4)];
const tags = ['1.27', 'latest', 'RC1', '_x', '.1', '-1', '', 'v1.0+build', '1'.repeat(128), '1'.repeat(129)];
const digests = [`sha256:${hex.repeat(4)}`, `sha512:${hex.repeat(8)}`, `sha256:${hex.toUpperCase().repeat(4)}`, 'sha256:abc', `sha512:${hex.repeat(4)}`, `md5:${hex.repeat(2)}`, ''];

const freeSegment = fc.stringMatching(/^[a-z0-9]{1,5}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,3}){0,2}$/);
const someSegments = fc.array(fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...segments) }, { weight: 3, arbitrary: freeSegment }), { minLength: 1, maxLength: 4 });

/** Put together by the grammar, with a part here and there that it does not allow. */
const byGrammar = fc
  .record({ host: fc.option(fc.constantFrom(...hosts)), path: someSegments, tag: fc.option(fc.constantFrom(...tags)), digest: fc.option(fc.constantFrom(...digests), { freq: 2 }) })
  .map(({ host, path, tag, digest }) => `${host === null ? '' : `${host}/`}${path.join('/')}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`);

const edit = fc.record({ at: fc.nat(), kind: fc.constantFrom('insert', 'replace', 'delete', 'cut', 'repeat'), letter: fc.oneof(fc.constantFrom(...'aA0.:/@_-[] '), fc.string({ maxLength: 1, unit: 'binary' })) });

/** The same, with up to three edits. */
const byMutation = fc.tuple(byGrammar, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([text, edits]) => {
  let edited = text;
  for (const { at, kind, letter } of edits) {
    const place = at % (edited.length + 1);
    const [before, after] = [edited.slice(0, place), edited.slice(place)];
    if (kind === 'insert') edited = before + letter + after;
    else if (kind === 'replace') edited = before + letter + after.slice(1);
    else if (kind === 'delete') edited = before + after.slice(1);
    else if (kind === 'cut') edited = before;
    else edited = before + after.slice(0, 40) + after;
  }
  return edited;
});

const confusing = fc.string({ unit: fc.constantFrom(...'aA0.:/@_-[]') });

export const anyReference: fc.Arbitrary<string> = fc.oneof({ weight: 4, arbitrary: byGrammar }, { weight: 4, arbitrary: byMutation }, { weight: 1, arbitrary: confusing }, { weight: 1, arbitrary: fc.string() });

/** Every text is read or refused, as the other parser does; what is read names itself. */
export function referencesAreRead(): fc.IPropertyWithHooks<[string]> {
  return fc.property(anyReference, (text) => {
    const ref = parseImageRef(text);
    assert.equal(ref && canonicalText(ref), readByTheBook(text));
    originOf({ key: 'web', field: 'containers', written: text }, { annotations: {} }, 7439);
    if (ref === undefined) return;

    assert.deepEqual(parseImageRef(canonicalText(ref)), ref);
    const place = placeIdentity(ref);
    assert.deepEqual([place, imageName(ref)].map((name) => parseImageRef(name)).map((again) => again && placeIdentity(again)), [place, place]);
  });
}

import { describe, expect, test } from '@jest/globals';
import { imageAddress, listAddress, ruleAddress } from '../../src/commands/ui/address.js';
import type { PlaceId } from '../../src/domain/image-ref.js';
import { aMirrorRule } from '../support/builders.js';

const place = { port: 8233, namespace: 'kuik' };
const at = (name: string): PlaceId => `registry.example.com/mirror/library/${name}` as PlaceId;
const queryOf = (address: string): string | null => new URL(address).searchParams.get('query');

describe('the address', () => {
  test('of everything is the list of workflows', () => {
    expect(listAddress(place)).toBe('http://127.0.0.1:8233/namespaces/kuik/workflows');
  });

  test('of one copy is the history of its keeper, as one segment', () => {
    expect(imageAddress(place, [at('nginx:1.27')])).toBe('http://127.0.0.1:8233/namespaces/kuik/workflows/keep%2Fregistry.example.com%2Fmirror%2Flibrary%2Fnginx%3A1.27');
  });

  test('of several copies is the list of their workflows', () => {
    expect(queryOf(imageAddress(place, [at('a:1'), at('b:1')]))).toBe(
      ['keep', 'task'].map((kind) => `WorkflowId="${kind}/${at('a:1')}"`).join(' OR ') + ' OR ' + ['keep', 'task'].map((kind) => `WorkflowId="${kind}/${at('b:1')}"`).join(' OR '),
    );
  });

  test('of a rule is the list of keepers below its prefixes', () => {
    const rule = aMirrorRule({ mirrors: [{}, { registry: 'other.example.com:5000', path: '' }] });

    expect(queryOf(ruleAddress(place, rule))).toBe('WorkflowId STARTS_WITH "keep/registry.example.com/mirror/" OR WorkflowId STARTS_WITH "keep/other.example.com:5000/"');
  });
});

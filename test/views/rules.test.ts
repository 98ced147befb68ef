import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ruleKinds, type Rule, type RuleKind } from '../../src/domain/rule.js';
import { RulesView } from '../../src/views/rules.js';
import { aMirrorRule, aReplicaRule, brokenFilter } from '../support/builders.js';
import { delivered, outcome, stories } from './shuffled.js';

const put = (view: RulesView, rule: Rule): void => {
  const { kind, namespace, name } = rule.id;
  view.apply(kind, { type: 'put', key: namespace === undefined ? name : `${namespace}/${name}`, object: rule });
};

const tenant = (name: string, namespace: string): Rule => aRuleOf('ImageSetMirror', name, namespace);

function aRuleOf(kind: RuleKind, name: string, namespace?: string): Rule {
  const rule = kind === 'ClusterReplicatedImageSet' || kind === 'ReplicatedImageSet' ? aReplicaRule() : aMirrorRule();
  return { ...rule, id: { kind, name, uid: `uid-of-${name}`, ...(namespace === undefined ? {} : { namespace }) } };
}

describe('rules', () => {
  test('a namespace sees cluster rules and its own, nobody else’s', () => {
    const view = new RulesView();
    put(view, aRuleOf('ClusterImageSetMirror', 'global'));
    put(view, tenant('mine', 'shop'));
    put(view, tenant('theirs', 'bank'));

    expect(view.inForce('shop').map(({ id }) => id.name)).toEqual(['global', 'mine']);
    expect(view.inForce('elsewhere').map(({ id }) => id.name)).toEqual(['global']);
    expect(view.snapshot()).toHaveLength(3);
  });

  test('suspended and broken rules are known, but not in force', () => {
    const view = new RulesView();
    put(view, { ...aRuleOf('ClusterImageSetMirror', 'suspended'), suspended: true });
    put(view, { ...aRuleOf('ClusterImageSetMirror', 'broken'), problems: [brokenFilter] });

    expect(view.inForce('shop')).toEqual([]);
    expect(view.snapshot().map(({ id }) => id.name)).toEqual(['broken', 'suspended']);
  });

  test('two kinds may use one name', () => {
    const view = new RulesView();
    put(view, aRuleOf('ClusterImageSetMirror', 'same'));
    put(view, aRuleOf('ClusterReplicatedImageSet', 'same'));
    view.apply('ClusterImageSetMirror', { type: 'gone', key: 'same' });

    expect(view.snapshot().map(({ id }) => id.kind)).toEqual(['ClusterReplicatedImageSet']);
    expect(view.get('ClusterReplicatedImageSet', 'same')).toBeDefined();
  });

  test('is complete when all five kinds are', () => {
    let changes = 0;
    const view = new RulesView(() => (changes += 1));
    for (const kind of ruleKinds) {
      expect(view.isSynced).toBe(false);
      view.apply(kind, { type: 'synced' });
    }

    expect(view.isSynced).toBe(true);
    expect(changes).toBe(ruleKinds.length);
  });

  test('a look-up makes nothing new while nothing changes', () => {
    const view = new RulesView();
    put(view, tenant('mine', 'shop'));
    const before = view.inForce('shop');

    expect(view.inForce('shop')).toBe(before);
    put(view, tenant('more', 'shop'));
    expect(view.inForce('shop')).toHaveLength(2);
  });

  test('ends up the same however the events come', () => {
    const ruleOf = (key: string): fc.Arbitrary<Rule> => {
      const [namespace = '', name = ''] = key.split('/');
      return fc.boolean().map((suspended) => ({ ...tenant(name, namespace), suspended }));
    };
    fc.assert(
      fc.property(
        stories(['shop/a', 'shop/b', 'bank/a'], ruleOf).chain((told) => fc.tuple(fc.constant(told), delivered(told))),
        ([told, changes]) => {
          const view = new RulesView();
          for (const change of changes) view.apply('ImageSetMirror', change);

          const left = outcome(told);
          expect(view.snapshot()).toEqual([...left.keys()].sort().map((key) => left.get(key)));
          expect(view.inForce('shop')).toEqual([...left.keys()].sort().flatMap((key) => left.get(key) ?? []).filter(({ id, suspended }) => id.namespace === 'shop' && !suspended));
        },
      ),
    );
  });
});

import type { Change } from '../cluster/cluster.js';
import { isInForce, isValid, ruleKinds, ruleText, type Rule, type RuleKind } from '../domain/rule.js';

/**
 * The rules of the cluster, translated. Lists are made once per change and handed out as they are, so that
 * admission only looks up. Their order does not depend on the order of events: by kind, namespace, name.
 */
export class RulesView {
  readonly #byKind = new Map<RuleKind, Map<string, Rule>>(ruleKinds.map((kind) => [kind, new Map()]));
  readonly #synced = new Set<RuleKind>();
  readonly #onChange: () => void;
  #all: readonly Rule[] | undefined;
  readonly #inForce = new Map<string, readonly Rule[]>();

  /** @param onChange called after every change, `synced` included; work belongs elsewhere */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  /** @param kind whose collection changed: two kinds may hold the same key */
  apply(kind: RuleKind, change: Change<Rule>): void {
    if (change.type === 'put') this.#byKind.get(kind)?.set(change.key, change.object);
    else if (change.type === 'gone') this.#byKind.get(kind)?.delete(change.key);
    else this.#synced.add(kind);

    this.#all = undefined;
    this.#inForce.clear();
    this.#onChange();
  }

  /** The first complete lists of all five kinds have arrived. */
  get isSynced(): boolean {
    return this.#synced.size === ruleKinds.length;
  }

  /** Every rule, those out of force included. */
  snapshot(): readonly Rule[] {
    this.#all ??= [...this.#byKind.values()].flatMap((rules) => [...rules.values()].sort(byName));
    return this.#all;
  }

  /** Rules that are valid, not suspended, and see Pods of a namespace: all of cluster kinds, and its own. */
  inForce(namespace: string): readonly Rule[] {
    const known = this.#inForce.get(namespace);
    if (known !== undefined) return known;

    const rules = this.snapshot().filter((rule) => isInForce(rule) && (rule.id.namespace ?? namespace) === namespace);
    this.#inForce.set(namespace, rules);
    return rules;
  }

  /** How many of each kind are out of force because of what they say. */
  countInvalid(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#byKind].map(([kind, rules]) => [kind, [...rules.values()].filter((rule) => !isValid(rule)).length]));
  }

  /** @param key `namespace/name`, or `name` */
  get(kind: RuleKind, key: string): Rule | undefined {
    return this.#byKind.get(kind)?.get(key);
  }
}

/** By code units, never by locale: every replica must order alike. */
function byName(a: Rule, b: Rule): number {
  const [left, right] = [ruleText(a.id), ruleText(b.id)];
  return left < right ? -1 : left > right ? 1 : 0;
}

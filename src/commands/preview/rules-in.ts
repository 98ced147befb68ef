import { parseAllDocuments } from 'yaml';
import { translateRule } from '../../api/translate.js';
import { apiVersion } from '../../domain/names.js';
import { ruleKinds, ruleText, type Rule, type RuleKind } from '../../domain/rule.js';

type Fields = Readonly<Record<string, unknown>>;

const namespaced: readonly RuleKind[] = ['ImageSetMirror', 'ReplicatedImageSet'];

/**
 * The rules that manifests describe, also inside a `List`; other objects are passed over.
 *
 * @throws Error when it is not YAML; the message says where
 */
export function rulesIn(manifests: string, { namespace, installNamespace }: { readonly namespace: string; readonly installNamespace: string }): readonly Rule[] {
  return parseAllDocuments(manifests).flatMap((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) throw new Error(problem.message);
    return rulesOf(document.toJS() as unknown, namespace, installNamespace);
  });
}

function rulesOf(object: unknown, namespace: string, installNamespace: string): readonly Rule[] {
  const { apiVersion: version, kind, metadata, spec, items } = fields(object);
  if (kind === 'List') return Array.isArray(items) ? items.flatMap((item) => rulesOf(item, namespace, installNamespace)) : [];
  const found = ruleKinds.find((known) => known === kind);
  if (version !== apiVersion || found === undefined) return [];
  const { name, namespace: own } = fields(metadata);
  const home = typeof own === 'string' ? own : namespace;
  const resource = { kind: found, name: typeof name === 'string' ? name : '', uid: '', generation: 1, spec, ...(namespaced.includes(found) ? { namespace: home } : {}) };
  return [translateRule(resource, { installNamespace })];
}

/** The rules after applying these: one of the same kind and name takes the place of the one that is there, and its identity. */
export function withRules(rules: readonly Rule[], applied: readonly Rule[]): readonly Rule[] {
  const byName = new Map(rules.map((rule) => [ruleText(rule.id), rule]));
  for (const rule of applied) {
    const before = byName.get(ruleText(rule.id));
    byName.set(ruleText(rule.id), before === undefined ? rule : { ...rule, id: before.id });
  }
  return [...byName.values()];
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

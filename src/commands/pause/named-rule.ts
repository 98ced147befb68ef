import type { RuleRef } from '../../cluster/kubernetes/rule.js';
import { ruleKinds, type RuleKind } from '../../domain/rule.js';

const shortNames: Readonly<Record<RuleKind, string>> = { ClusterImageSetMirror: 'cism', ImageSetMirror: 'ism', ClusterReplicatedImageSet: 'cris', ReplicatedImageSet: 'ris', ClusterImageSetAvailability: 'cisa' };

/** Every way kubectl takes a kind: short, singular, plural, with the group behind. */
const kindsByName: ReadonlyMap<string, RuleKind> = new Map(
  ruleKinds.flatMap((kind) => {
    const singular = kind.toLowerCase();
    const plural = singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`;
    return [shortNames[kind], singular, plural].map((name) => [name, kind] as const);
  }),
);

/**
 * Reads `ism/team`, in the namespace given, as a rule.
 *
 * @returns undefined when the text names no kind of rule: it may be an image
 */
export function namedRule(text: string, namespace: string): RuleRef | undefined {
  const slash = text.indexOf('/');
  const kind = kindsByName.get(text.slice(0, Math.max(slash, 0)).toLowerCase().replace(/\.kuik\.enix\.io$/, ''));
  const name = text.slice(slash + 1);
  if (kind === undefined || name === '' || name.includes('/')) return undefined;
  return { kind, name, ...(kind.startsWith('Cluster') ? {} : { namespace }) };
}

/** `ism.kuik.enix.io/team` is read by `kubectl` and by us. */
export function ruleName({ kind, name }: RuleRef): string {
  return `${kind.toLowerCase()}.kuik.enix.io/${name}`;
}

import type { RuleRef } from '../../cluster/kubernetes/rule.js';
import { parseImageRef } from '../../domain/image-ref.js';
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

const objectName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;

/**
 * Reads `ism/team`, in the namespace given, or `ism/shop/team` as a rule.
 *
 * @returns undefined when the text names no rule: it may be an image
 */
export function namedRule(text: string, namespace: string): RuleRef | undefined {
  const [, ...names] = text.split('/');
  const kind = kindOf(text);
  if (kind === undefined || !names.every((each) => objectName.test(each))) return undefined;
  const [name, ...home] = names.reverse();
  if (name === undefined || home.length > (kind.startsWith('Cluster') ? 0 : 1)) return undefined;
  return { kind, name, ...(kind.startsWith('Cluster') ? {} : { namespace: home[0] ?? namespace }) };
}

/** A text that begins as a rule does, and can be none; nor can it be an image, which may have a path like a kind. */
export function isMisnamedRule(text: string): boolean {
  return text.includes('/') && kindOf(text) !== undefined && namedRule(text, '') === undefined && parseImageRef(text) === undefined;
}

function kindOf(text: string): RuleKind | undefined {
  const [typed = ''] = text.split('/');
  return kindsByName.get(typed.toLowerCase().replace(/\.kuik\.enix\.io$/, ''));
}

/** `ism.kuik.enix.io/team` is read by `kubectl` and by us. */
export function ruleName({ kind, name }: RuleRef): string {
  return `${kind.toLowerCase()}.kuik.enix.io/${name}`;
}

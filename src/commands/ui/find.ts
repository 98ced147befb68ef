import { translateRule } from '../../api/translate.js';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { PlaceId } from '../../domain/image-ref.js';
import { mirrorsOf } from '../../domain/image-standing.js';
import type { MirrorRule, RuleKind } from '../../domain/rule.js';
import { findImages } from '../find-images.js';

/** What somebody wants to see the histories of. */
export type Subject = { readonly all: true } | { readonly destinations: readonly PlaceId[] } | { readonly rule: MirrorRule };

/** How people and kubectl spell kinds that make copies. */
const mirrorKinds: Readonly<Record<string, RuleKind>> = {
  cism: 'ClusterImageSetMirror', clusterimagesetmirror: 'ClusterImageSetMirror', clusterimagesetmirrors: 'ClusterImageSetMirror',
  ism: 'ImageSetMirror', imagesetmirror: 'ImageSetMirror', imagesetmirrors: 'ImageSetMirror',
};

/** Kinds that make none: a person may well ask. */
const otherKind = /^(?:cris|ris|cisa|clusterreplicatedimagesets?|replicatedimagesets?|clusterimagesetavailabilit(?:y|ies))(?:\.kuik\.enix\.io)?\//i;

/** @returns what is wrong, as a text */
export async function findSubject(what: string | undefined, cluster: KubernetesCluster, installNamespace: string): Promise<Subject | string> {
  if (what === undefined) return { all: true };
  if (otherKind.test(what)) return `${what}: rules of this kind make no copies; name an image, or a mirror rule`;
  const [typed = '', ...name] = what.split('/');
  const kind = mirrorKinds[typed.toLowerCase().split('.')[0] ?? ''];
  if (kind !== undefined) return ruleNamed(kind, name, what, cluster, installNamespace);

  const { records: [record], problems } = await findImages([what], cluster);
  if (record === undefined) return problems.join('; ');
  const destinations = mirrorsOf(record).map(({ reference }) => reference as string as PlaceId);
  return destinations.length > 0 ? { destinations } : `${record.image}: no rule mirrors it, so no workflow keeps a copy of it`;
}

async function ruleNamed(kind: RuleKind, [one, two, ...more]: readonly string[], what: string, cluster: KubernetesCluster, installNamespace: string): Promise<Subject | string> {
  const isNamespaced = kind === 'ImageSetMirror';
  const [namespace, name] = two === undefined ? [isNamespaced ? cluster.namespace : undefined, one] : [one, two];
  if (name === undefined || name === '' || more.length > 0 || (!isNamespaced && two !== undefined)) return `${what}: write cism/NAME, or ism/NAMESPACE/NAME`;
  const resource = (await cluster.list(kind)).find((each) => each.name === name && (!isNamespaced || each.namespace === namespace));
  const rule = resource && translateRule(resource, { installNamespace });
  if (rule?.type !== 'mirror') return `${what}: there is no such rule${isNamespaced ? ` in namespace ${namespace}` : ''}; kubectl get kuik -A lists them`;
  return { rule };
}

/** What a webhook of the bench holds in memory, and the rules it decides by. */
import { translateRule } from '../../src/api/translate.js';
import { imageName, knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import { podOf } from '../../src/domain/pod.js';
import type { RuleKind } from '../../src/domain/rule.js';
import { NamespacesView } from '../../src/views/namespaces.js';
import { RecordsView } from '../../src/views/records.js';
import { RulesView } from '../../src/views/rules.js';
import { UsageView } from '../../src/views/usage.js';

export interface Held {
  readonly pods: number;
  readonly rules: number;
  /** what the Pods use; each has a record that says its copy was seen this moment */
  readonly images: number;
}

export interface HeldViews {
  readonly rules: RulesView;
  readonly records: RecordsView;
  readonly namespaces: NamespacesView;
  /** of `kuik run`; the webhook on its own does without */
  readonly usage: UsageView;
}

const mirrorHost = 'mirror.example.com';

/** Image of a container of the bench. */
export function heldImage(number: number): string {
  return `registry.example.com/team-${number % 50}/app-${number}:1.${number % 9}`;
}

/** Fills the views as watches do. */
export function holdInMemory({ pods, rules, images }: Held): HeldViews {
  const views: HeldViews = { rules: new RulesView(), records: new RecordsView(), namespaces: new NamespacesView(), usage: new UsageView({ v1ProxyPort: 7439 }) };
  for (let at = 0; at < rules; at++) putRule(views.rules, at === 0 ? everything(mirrorHost) : special(at), at);
  for (let at = 0; at < images; at++) putRecord(views.records, at);
  for (let at = 0; at < pods; at++) {
    const pod = podOf({ metadata: { name: `pod-${at}`, namespace: `team-${at % 100}`, uid: `uid-${at}` }, spec: { containers: [{ name: 'c0', image: heldImage(at % images) }, { name: 'c1', image: heldImage((at * 7) % images) }] } }, '');
    views.usage.apply({ type: 'put', key: pod.key, object: pod });
  }
  return views;
}

/** One mirror of everything, preferred. */
export function everything(...registries: readonly string[]): RuleSpec {
  return { kind: 'ClusterImageSetMirror', spec: { priority: -1, filter: { include: [{ image: '.*' }] }, mirrors: registries.map((registry, at) => ({ registry, path: '/m', priority: at })) } };
}

export interface RuleSpec {
  readonly kind: RuleKind;
  readonly namespace?: string;
  readonly spec: object;
}

/** Rules for images of other teams: all have to be looked at, none matches. A fifth are those of single namespaces. */
function special(number: number): RuleSpec {
  const spec = { filter: { include: [{ image: `registry-${number}\\.example\\.com/.+` }], exclude: [{ namespace: 'ci-.*' }] }, mirrors: [{ registry: `mirror-${number}.example.com`, path: '/m' }] };
  return number % 5 === 0 ? { kind: 'ImageSetMirror', namespace: `team-${number}`, spec } : { kind: 'ClusterImageSetMirror', spec };
}

export function putRule(rules: RulesView, { kind, namespace, spec }: RuleSpec, number: number): void {
  const name = `rule-${number}`;
  const rule = translateRule({ kind, name, namespace, uid: `uid-${number}`, generation: 1, spec }, { installNamespace: 'kuik-system' });
  rules.apply(kind, { type: 'put', key: namespace === undefined ? name : `${namespace}/${name}`, object: rule });
}

function putRecord(records: RecordsView, number: number): void {
  const image = imageName(knownImageRef(heldImage(number)));
  const reference = `${mirrorHost}/m/${image.slice(image.indexOf('/') + 1)}` as ImageName;
  const checkedAt = new Date().toISOString();
  const places = [
    { reference, role: 'mirror' as const, state: 'Available' as const, identity: 'anonymous', checkedAt, mirroredAt: checkedAt },
    { reference: image, role: 'origin' as const, state: 'Available' as const, identity: 'anonymous', checkedAt },
  ];
  const name = `record-${number}`;
  records.apply({ type: 'put', key: name, object: { name, image, pods: 10, places } });
}

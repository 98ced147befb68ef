import type { Platform } from './platform.js';
import type { Selector } from './selector.js';

/** The five kinds of resource users write. */
export const ruleKinds = [
  'ClusterImageSetMirror',
  'ImageSetMirror',
  'ClusterReplicatedImageSet',
  'ReplicatedImageSet',
  'ClusterImageSetAvailability',
] as const;

export type RuleKind = (typeof ruleKinds)[number];

/** Which resource a rule was made from; `namespace` only for namespaced kinds. */
export interface RuleId {
  readonly kind: RuleKind;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

/** `<Kind>/[<namespace>/]<name>`: how records, annotations and messages name a rule. */
export function ruleText(id: Omit<RuleId, 'uid'>): string {
  return id.namespace === undefined ? `${id.kind}/${id.name}` : `${id.kind}/${id.namespace}/${id.name}`;
}

/** A ready RE2 pattern, anchored at both ends; linear time. */
export type Matcher = (text: string) => boolean;

/** Which Pods a rule sees: every dimension with includes needs one match, one exclude anywhere rejects. */
export interface PodFilter {
  readonly include: PodConditions;
  readonly exclude: PodConditions;
}

export interface PodConditions {
  readonly labels: readonly Selector[];
  readonly annotations: readonly Selector[];
  readonly namespaces: readonly Matcher[];
}

/** Which images a rule selects. `selectsNone` is the filter without any item. */
export interface ImageFilter {
  readonly selectsNone: boolean;
  readonly include: readonly Matcher[];
  readonly exclude: readonly Matcher[];
}

/** A Secret, by full name. */
export interface SecretRef {
  readonly namespace: string;
  readonly name: string;
}

/** Something wrong with a resource, found while it was translated; it disables what `disables` says and nothing else. */
export interface Problem {
  readonly reason: 'InvalidFilter' | 'InvalidSpec' | 'InvalidUpstream';
  /** path of the field: `spec.filter.include[0].image` */
  readonly field: string;
  /** names field, what was found, and the next step */
  readonly message: string;
  readonly disables: 'rule' | 'item' | 'cleanup' | 'nothing';
}

interface RuleBase {
  readonly id: RuleId;
  readonly generation: number;
  readonly priority: number;
  readonly suspended: boolean;
  /** when the resource is being deleted: RFC 3339 */
  readonly deletedAt?: string;
  /** annotation `kuik.enix.io/purge`: its copies go with it */
  readonly purge?: boolean;
  readonly pods: PodFilter;
  readonly problems: readonly Problem[];
}

export type CopyStrategy = 'all' | 'sparse' | 'rewrite' | 'auto';

export interface Cleanup {
  readonly enabled: boolean;
  /** milliseconds; undefined means the configured default */
  readonly retentionMs?: number;
}

/** One place we copy to. */
export interface Mirror {
  /** position in `spec.mirrors` */
  readonly index: number;
  readonly registry: string;
  readonly path: string;
  readonly priority: number;
  readonly credentialSecret?: SecretRef;
  readonly pullSecret?: SecretRef;
  readonly platforms?: readonly Platform[];
  readonly copy: CopyStrategy;
  readonly layout: 'path' | 'host';
  readonly referrers: 'auto' | 'none';
  readonly shared: boolean;
  readonly cleanup: Cleanup;
}

export interface MirrorRule extends RuleBase {
  readonly type: 'mirror';
  readonly images: ImageFilter;
  readonly mirrors: readonly Mirror[];
  readonly drift: 'keep' | 'warn' | 'sync';
}

/** One of several places somebody else keeps equal. */
export interface Upstream {
  readonly index: number;
  readonly registry: string;
  readonly path: string;
  readonly priority: number;
  readonly discarded: boolean;
  readonly images: ImageFilter;
  readonly credentialSecret?: SecretRef;
}

export interface ReplicaRule extends RuleBase {
  readonly type: 'replica';
  readonly upstreams: readonly Upstream[];
}

export interface MonitorRule extends RuleBase {
  readonly type: 'monitor';
  readonly images: ImageFilter;
  /** milliseconds; 0 is for ever */
  readonly unusedExpiryMs: number;
}

/** What any of the five resource kinds becomes once translated. */
export type Rule = MirrorRule | ReplicaRule | MonitorRule;

/** A rule that is valid, not suspended and not being deleted offers candidates and wants copies. */
export function isInForce(rule: Rule): boolean {
  return !rule.suspended && rule.deletedAt === undefined && isValid(rule);
}

/** A rule that is suspended or cannot be read starts nothing, and nothing of it goes: what it copied stays claimed. */
export function isResting(rule: Rule): boolean {
  return rule.deletedAt === undefined && (rule.suspended || !isValid(rule));
}

/** A rule no problem of which puts it out of force. */
export function isValid(rule: Rule): boolean {
  return !rule.problems.some((problem) => problem.disables === 'rule');
}

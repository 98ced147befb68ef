/**
 * Turns resources into rules. Users write resources, so anything may be wrong with one; what is wrong is noted on
 * the rule, with what it disables, and nothing is thrown:
 *
 * - a filter that does not compile, or a spec that cannot be read, puts the rule out of force;
 * - a mirror or upstream that makes no sense is left out, its neighbours work;
 * - an unreadable retention turns clean-up off where it applies;
 * - an unreadable expiry counts as none.
 */
import { annotations } from '../domain/names.js';
import type { Problem, Rule, RuleId, RuleKind } from '../domain/rule.js';
import { Field } from './field.js';
import type { ItemKey } from './translate-filter.js';
import { translateMirror } from './translate-mirror.js';
import { translateMonitor } from './translate-monitor.js';
import type { SecretScope } from './translate-place.js';
import { translateReplica } from './translate-replica.js';

/** What is read of a resource, besides its spec. */
export interface Translatable {
  readonly kind: RuleKind;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** RFC 3339 */
  readonly deletionTimestamp?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec: unknown;
}

export interface TranslateSettings {
  /** where Secrets are read that a cluster kind names without a namespace */
  readonly installNamespace: string;
}

/** What all rules have in common. */
export type RuleBase = Pick<Rule, 'id' | 'generation' | 'priority' | 'suspended' | 'deletedAt' | 'purge'>;

/**
 * Reads one resource of a user kind.
 *
 * @returns a rule in any case; `problems` says what of it is out of force
 * @throws never
 */
export function translateRule(resource: Translatable, settings: TranslateSettings): Rule {
  const problems: Problem[] = [];
  const spec = new Field(resource.spec ?? {}, 'spec', problems);
  const base = readBase(resource, spec);
  const secrets: SecretScope = { namespace: resource.namespace, installNamespace: settings.installNamespace };

  switch (resource.kind) {
    case 'ClusterImageSetMirror':
      return translateMirror(spec, base, clusterKeys, secrets, problems);
    case 'ImageSetMirror':
      return translateMirror(spec, base, namespacedKeys, secrets, problems);
    case 'ClusterReplicatedImageSet':
      return translateReplica(spec, base, withoutImage(clusterKeys), secrets, problems);
    case 'ReplicatedImageSet':
      return translateReplica(spec, base, withoutImage(namespacedKeys), secrets, problems);
    case 'ClusterImageSetAvailability':
      return translateMonitor(spec, base, clusterKeys, problems);
  }
}

const clusterKeys: readonly ItemKey[] = ['image', 'label', 'annotation', 'namespace'];
const namespacedKeys: readonly ItemKey[] = ['image', 'label', 'annotation'];

function withoutImage(keys: readonly ItemKey[]): readonly ItemKey[] {
  return keys.filter((key) => key !== 'image');
}

function readBase(resource: Translatable, spec: Field): RuleBase {
  const { kind, namespace, name, uid, generation, deletionTimestamp: deletedAt } = resource;
  const id: RuleId = { kind, ...(namespace === undefined ? {} : { namespace }), name, uid };
  return {
    id,
    generation,
    priority: spec.get('priority').integer() ?? 0,
    suspended: spec.get('suspend').boolean() ?? false,
    ...(deletedAt === undefined ? {} : { deletedAt }),
    ...(resource.annotations?.[annotations.purge] === 'true' ? { purge: true } : {}),
  };
}

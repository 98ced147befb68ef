/** What the leading manager tells of its cluster at a scrape: everything in it is in memory already. */
import { mirrorPrefixes } from '../../domain/mirror-prefix.js';
import { countRetained } from '../../domain/retain-counts.js';
import { risksOf, type Risks } from '../../domain/risk.js';
import type { MirrorRule } from '../../domain/rule.js';
import { mirrorStates, type MirrorSeen, type PictureSeen, type RegistryCount } from '../../telemetry/picture-metrics.js';
import type { Waiting } from '../../watchers/waiting.js';
import type { Base } from './base.js';
import type { ManagerViews } from './part.js';

export function lookAtPicture({ config }: Pick<Base, 'config'>, views: ManagerViews, waiting: Pick<Waiting, 'oldest'>): PictureSeen {
  const { rules, records } = views;
  const { atRisk, unavailable } = risks(config, views);
  return {
    mirrors: rules.snapshot().filter((rule) => rule.type === 'mirror').flatMap((rule) => mirrorSeen(rule, views)),
    oldestWaiting: waiting.oldest(Date.now()),
    ...countRetained(records.snapshot()),
    atRisk: listed(atRisk),
    unavailable: listed(unavailable),
  };
}

function risks({ skip, migration }: Base['config'], { rules, records, namespaces, usage }: ManagerViews): Risks {
  return risksOf({
    pods: usage.pods(),
    rules: (namespace) => rules.inForce(namespace),
    prefixes: mirrorPrefixes(rules.snapshot()),
    record: (image) => records.byImage(image),
    namespaceLabels: (namespace) => namespaces.labels(namespace),
    skip,
    v1ProxyPort: migration.v1ProxyPort,
  });
}

/** As people see it: what the status says, once it says anything. */
function mirrorSeen(rule: MirrorRule, { resource }: ManagerViews): readonly MirrorSeen[] {
  const { kind, namespace = '', name } = rule.id;
  const { counts } = (resource(rule)?.status ?? {}) as { readonly counts?: Partial<MirrorSeen['counts']> };
  if (counts === undefined) return [];
  return [{ kind, namespace, name, counts: Object.fromEntries(mirrorStates.map((state) => [state, counts[state] ?? 0])) as MirrorSeen['counts'] }];
}

function listed(counts: ReadonlyMap<string, number>): readonly RegistryCount[] {
  return [...counts].map(([registry, count]) => ({ registry, count }));
}

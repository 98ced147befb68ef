/** The leading manager brings the definitions of our kinds up to its own version, since Helm installs them once and never again. */
import { customResourceDefinition } from '../../api/crd.js';
import { kinds } from '../../api/v1alpha1/kinds.js';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import { compareVersions } from '../../domain/version.js';
import type { Log } from '../../telemetry/log.js';

export interface DefinitionDeps {
  readonly cluster: Pick<KubernetesCluster, 'definition' | 'applyDefinition'>;
  /** of this kuik */
  readonly version: string;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
}

/** What became of one definition. `newer`: a later kuik wrote it, so it stays. `absent`: there is none, and none may be made. */
export type Upgrade = 'upgraded' | 'current' | 'newer' | 'absent';

/**
 * Says of each definition what became of it; nothing where all are as they should be.
 *
 * @throws Failure side `cluster` of the first that could not be written, after all others were tried
 */
export async function upgradeDefinitions(deps: DefinitionDeps): Promise<Readonly<Record<string, Upgrade>>> {
  const upgrades: Record<string, Upgrade> = {};
  const failures: unknown[] = [];
  for (const kind of kinds) {
    const definition = customResourceDefinition(kind, deps.version);
    try {
      upgrades[definition.metadata.name] = await upgrade(definition, deps);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return upgrades;
}

async function upgrade(definition: ReturnType<typeof customResourceDefinition>, { cluster, version, log }: DefinitionDeps): Promise<Upgrade> {
  const { name } = definition.metadata;
  const before = await cluster.definition(name);
  if (before === undefined) {
    log.error({ definition: name }, 'a definition is missing, and only whoever installs kuik may make it: kubectl apply --server-side --force-conflicts -f the folder crds of the chart');
    return 'absent';
  }
  if (isNewer(before.version, version)) {
    log.warn({ definition: name, has: before.version, ours: version }, 'a definition stays as it is: a later version of kuik wrote it, and objects may have fields that we do not know');
    return 'newer';
  }
  const after = await cluster.applyDefinition(definition);
  if (after.resourceVersion === before.resourceVersion) return 'current';
  log.info({ definition: name, from: before.version ?? 'unknown', to: version }, 'a definition is upgraded');
  return 'upgraded';
}

/** What does not say, or makes no sense, was written before definitions said their version. */
function isNewer(theirs: string | undefined, ours: string): boolean {
  return theirs !== undefined && (compareVersions(theirs, ours) ?? 0) > 0;
}

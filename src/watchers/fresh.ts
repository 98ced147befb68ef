/**
 * A look at the cluster that owes nothing to views: every list is asked for anew, complete, straight from the API
 * server. Deletions and previews need no less. It is the same picture the watchers plan from, made by the same
 * functions.
 */
import { translateRule, type TranslateSettings } from '../api/translate.js';
import type { Cluster } from '../cluster/cluster.js';
import type { MirrorSettings } from '../domain/mirror.js';
import type { SkipSettings } from '../domain/opt-out.js';
import { imagesUsed } from '../domain/original.js';
import type { ImageUse } from '../domain/record-plan.js';
import { ruleKinds, type Rule } from '../domain/rule.js';
import { workloadKinds, type Pod } from '../domain/usage.js';
import type { ClusterPicture } from '../domain/use.js';
import { imagesInUse } from './picture.js';

export interface FreshDeps {
  readonly cluster: Pick<Cluster, 'list'>;
  readonly translate: TranslateSettings;
  readonly settings: MirrorSettings & { readonly skip: SkipSettings };
  readonly v1ProxyPort: number;
  /** templates of workloads count as well */
  readonly workloads: boolean;
}

/** @throws Failure of the first list that cannot be read whole */
export async function freshPicture({ cluster, translate, settings, v1ProxyPort, workloads }: FreshDeps): Promise<ClusterPicture> {
  // rules and records first: a Pod that comes meanwhile is seen, and a rule that went is a rule less to want anything
  const rules = (await Promise.all(ruleKinds.map((kind) => cluster.list(kind)))).flat().map((resource): Rule => translateRule(resource, translate));
  const [records, namespaces] = await Promise.all([cluster.list('ImageAvailability'), cluster.list('Namespace')]);
  const [pods, ...templates] = await Promise.all([cluster.list('Pod'), ...(workloads ? workloadKinds.map((kind) => cluster.list(kind)) : [])]);
  const users = [...pods, ...templates.flat()];

  const labels = new Map(namespaces.map((namespace) => [namespace.name, namespace.labels]));
  const imagesOf = (pod: Pod): ReturnType<typeof imagesUsed> => imagesUsed(pod, v1ProxyPort);
  // what exists already may be kept by whoever names its image: here a template counts like a Pod
  const used = imagesInUse({ pods: () => users, imagesOf }, { skip: settings.skip, namespaceLabels: (name) => labels.get(name) ?? {} });
  return { pods: users.map((pod) => ({ pod, images: imagesOf(pod) })), used: used.map(asPods), rules, records, settings };
}

/** Nobody is to tell templates from Pods any more. */
function asPods(use: ImageUse): ImageUse {
  return { ...use, users: use.users.map(({ namespace, labels, annotations }) => ({ namespace, labels, annotations })) };
}

/**
 * Lets many share one look, each of which began after it was asked for: a thousand copies that are due together cost
 * a few lists, not a thousand.
 */
export function shareLooks<T>(look: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> | undefined;
  let next: Promise<T> | undefined;
  return () => {
    next ??= (running ?? Promise.resolve())
      .then(() => undefined)
      .then(() => {
        const begun = look();
        next = undefined;
        running = begun.catch(() => undefined);
        return begun;
      });
    return next;
  };
}

import { isFailure } from '../../domain/failure.js';
import { fieldManagers } from '../../domain/names.js';
import type { Resource } from '../cluster.js';
import { apply, merge } from './apply.js';
import { unite, type FieldSet, type ManagedFields } from './managed-fields.js';
import type { Requests } from './requests.js';
import { watchedTypes, type Address } from './resources.js';
import { againOnConflict } from './retry.js';

export type RuleRef = Pick<Resource, 'kind' | 'namespace' | 'name'>;

interface StoredRule {
  readonly metadata: { readonly resourceVersion: string; readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>>; readonly finalizers?: readonly string[]; readonly managedFields?: readonly ManagedFields[] };
}

/** Writes the whole status. What v2 wrote there is ours now: else its old items would stay for ever. */
export async function applyRuleStatus(requests: Requests, rule: RuleRef, status: object): Promise<void> {
  const write = (): Promise<unknown> => apply(requests, watchedTypes[rule.kind], statusOf(rule), fieldManagers.report, { status }, { force: true });
  try {
    await againOnConflict(async () => {
      const written = (await write()) as StoredRule;
      if (await takeOver(requests, rule, written)) await write();
    });
  } catch (error) {
    if (!isFailure(error) || error.code !== 'missing') throw error; // the rule is gone, and its status with it
  }
}

/** A merge under the version that was read: an apply could not remove what v2 added. */
export async function setFinalizer(requests: Requests, rule: RuleRef, finalizer: string, present: boolean): Promise<void> {
  const type = watchedTypes[rule.kind];
  await againOnConflict(async () => {
    const object = (await requests.jsonOrNothing({ ...at(rule), verb: 'get', type })) as StoredRule | undefined;
    const finalizers = object?.metadata.finalizers ?? [];
    if (object === undefined || finalizers.includes(finalizer) === present) return;

    const { resourceVersion } = object.metadata;
    const changed = present ? [...finalizers, finalizer] : finalizers.filter((known) => known !== finalizer);
    await ignoreAbsence(merge(requests, type, at(rule), fieldManagers.report, { metadata: { finalizers: changed, resourceVersion } }));
  });
}

/** What became of a wish to suspend a rule, or to let it go on. */
export interface Suspension {
  /** `owned`: somebody else says so, and nothing was changed */
  readonly outcome: 'changed' | 'unchanged' | 'owned' | 'absent';
  /** who says so */
  readonly owners?: readonly string[];
  /** a tool that keeps the rule from somewhere else, and may undo it */
  readonly keptBy?: string;
}

/** States `spec.suspend` as `kuik-cli`, or takes back what it stated: what a user wrote stays the user's. */
export async function suspendRule(requests: Requests, rule: RuleRef, suspended: boolean, { dryRun }: { readonly dryRun: 'none' | 'client' | 'server' }): Promise<Suspension> {
  const type = watchedTypes[rule.kind];
  return againOnConflict(async () => {
    const object = (await requests.jsonOrNothing({ ...at(rule), verb: 'get', type })) as (StoredRule & { readonly spec?: { readonly suspend?: boolean } }) | undefined;
    if (object === undefined) return { outcome: 'absent' };
    if ((object.spec?.suspend === true) === suspended) return { outcome: 'unchanged' };

    const { resourceVersion, managedFields = [] } = object.metadata;
    const owners = managedFields.filter(({ manager, fieldsV1 }) => manager !== fieldManagers.cli && fieldsV1?.['f:spec']?.['f:suspend'] !== undefined).map(({ manager }) => manager ?? 'somebody');
    if (owners.length > 0) return { outcome: 'owned', owners };
    if (dryRun !== 'client') await apply(requests, type, at(rule), fieldManagers.cli, suspended ? { spec: { suspend: true } } : {}, { resourceVersion, dryRun: dryRun === 'server' });
    return { outcome: 'changed', keptBy: keeperOf(object) };
  });
}

/** Marks by which tools know what they keep. */
const keepers: readonly (readonly [mark: string, tool: string])[] = [
  ['argocd.argoproj.io/tracking-id', 'Argo CD'],
  ['argocd.argoproj.io/instance', 'Argo CD'],
  ['kustomize.toolkit.fluxcd.io/name', 'Flux'],
  ['helm.toolkit.fluxcd.io/name', 'Flux'],
  ['meta.helm.sh/release-name', 'Helm'],
];

function keeperOf({ metadata: { labels = {}, annotations = {} } }: StoredRule): string | undefined {
  return keepers.find(([mark]) => Object.hasOwn(labels, mark) || Object.hasOwn(annotations, mark))?.[1];
}

/**
 * Makes us the only owner of the status: the fields of earlier owners are added to ours, so that the next apply
 * removes those it does not name.
 *
 * @returns whether there was anything to take over
 */
async function takeOver(requests: Requests, rule: RuleRef, { metadata }: StoredRule): Promise<boolean> {
  const managed = metadata.managedFields ?? [];
  const earlier = managed.filter((entry) => entry.subresource === 'status' && entry.manager !== fieldManagers.report);
  if (earlier.length === 0) return false;

  const ours = managed.find((entry) => entry.subresource === 'status' && entry.manager === fieldManagers.report);
  const fieldsV1 = earlier.reduce<FieldSet>((all, { fieldsV1: fields = {} }) => unite(all, fields), ours?.fieldsV1 ?? {});
  const managedFields = [...managed.filter((entry) => entry !== ours && !earlier.includes(entry)), { ...ours, fieldsV1 }];
  const { resourceVersion } = metadata;
  // owners are metadata: written through the status they would be ignored
  await merge(requests, watchedTypes[rule.kind], at(rule), fieldManagers.report, { metadata: { managedFields, resourceVersion } });
  return true;
}

async function ignoreAbsence(writing: Promise<unknown>): Promise<void> {
  try {
    await writing;
  } catch (error) {
    if (!isFailure(error) || error.code !== 'missing') throw error;
  }
}

function at({ namespace, name }: RuleRef): Address {
  return { namespace, name };
}

function statusOf(rule: RuleRef): Address {
  return { ...at(rule), subresource: 'status' };
}

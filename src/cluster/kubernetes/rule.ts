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
  readonly metadata: { readonly resourceVersion: string; readonly finalizers?: readonly string[]; readonly managedFields?: readonly ManagedFields[] };
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

/** What rules and records tell of registries and credentials. */
import type { Resource } from '../../cluster/cluster.js';
import { failures, isFailure } from '../../domain/failure.js';
import type { Condition } from '../../domain/record.js';
import { ruleKinds, ruleText } from '../../domain/rule.js';
import { registriesOf } from '../status/picture.js';
import { amount, bad, good, NothingThere, type Asking, type Finding } from './finding.js';

/** @throws NothingThere before our kinds are defined */
export async function rulesOf({ cluster }: Asking): Promise<readonly Resource[]> {
  return orNothingThere(async () => (await Promise.all(ruleKinds.map((kind) => cluster.list(kind)))).flat());
}

async function orNothingThere<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (isFailure(error) && error.code === 'missing') throw new NothingThere('there are no definitions of rules and records');
    throw error;
  }
}

interface Said extends Condition {
  readonly rule: string;
}

function conditionsOf(rules: readonly Resource[]): readonly Said[] {
  return rules.flatMap((resource) => {
    const { conditions = [] } = (resource.status ?? {}) as { readonly conditions?: readonly Condition[] };
    return conditions.map((condition) => ({ ...condition, rule: ruleText(resource) }));
  });
}

/** Rules that say that Temporal is away. */
export function waitingForTemporal(rules: readonly Resource[]): readonly string[] {
  return conditionsOf(rules).flatMap(({ rule, status, reason }) => (status === 'True' && reason === 'TemporalUnavailable' ? [rule] : []));
}

/** What registries did to images in use, and which rules cannot do what they should because of it. */
export async function checkRegistries(asking: Asking): Promise<Finding> {
  const [rules, records] = await Promise.all([rulesOf(asking), orNothingThere(() => asking.cluster.list('ImageAvailability'))]);
  const unreached = conditionsOf(rules).filter(isUnreached);
  const failing = registriesOf(records);
  if (unreached.length > 0) return bad(saidBy(unreached), 'kuik status says which images that is about, and docs/reference/failures.md what to do about each failure');
  if (failing.length > 0) return bad(failing.map(({ registry, state, images }) => `${registry} is ${state} for ${amount(images, 'image')}`).join('; '), 'kuik images --unavailable -o wide lists why');
  return good(records.length === 0 ? 'none is used yet' : `none is known to fail, for ${amount(records.length, 'image')}`);
}

/** A rule is ready once its registries have answered: what it says until then is how they failed. */
function isUnreached({ type, status, reason }: Said): boolean {
  if (status !== 'False') return false;
  return type === 'SourceReachable' || type === 'DestinationReachable' || (type === 'Ready' && failureReasons.has(reason));
}

const failureReasons: ReadonlySet<string> = new Set(Object.values(failures).map(({ reason }) => reason));

/** Whether the Secrets that rules name can be used. */
export async function checkCredentials(asking: Asking): Promise<Finding> {
  const rules = await rulesOf(asking);
  const refused = conditionsOf(rules).filter(({ type, status }) => type === 'CredentialsValid' && status === 'False');
  if (refused.length > 0) return bad(saidBy(refused), 'make the Secret, or renew it; nothing has to be restarted');
  return good(rules.length === 0 ? 'there is no rule yet' : `every Secret that ${amount(rules.length, 'rule')} may name can be used`);
}

function saidBy(conditions: readonly Said[]): string {
  return conditions.map(({ rule, reason, message }) => `${rule}: ${reason}, ${message}`).join('; ');
}

/** What the screen says, from what the API server knows. Pure: the same picture for a person, a script and a test. */
import type { Resource } from '../../cluster/cluster.js';
import { parseImageRef } from '../../domain/image-ref.js';
import { isCopied, mirrorsOf, standingOf } from '../../domain/image-standing.js';
import type { Condition, ImageRecord, PlaceRecord } from '../../domain/record.js';
import { ruleText } from '../../domain/rule.js';
import { cliVersion } from '../command-line.js';
import type { Status } from '../documents/status.js';
import type { Installation } from './installation.js';
import { troublesOf } from './troubles.js';

export interface StatusFacts {
  readonly version: string;
  readonly context: string;
  readonly namespace: string;
  readonly installation: Installation;
  readonly rules: readonly Resource[];
  readonly records: readonly ImageRecord[];
  /** milliseconds since the epoch */
  readonly now: number;
}

const mostCopies = 20;

export function statusOf(facts: StatusFacts): Status {
  const { version, context, namespace, installation: { webhook, leader }, records } = facts;
  const rules = facts.rules.map(ruleItem).sort((one, other) => (one.rule < other.rule ? -1 : 1));
  const copies = waitingCopies(records);
  const [oldest] = copies;
  return {
    apiVersion: cliVersion,
    kind: 'Status',
    version,
    context,
    namespace,
    webhook,
    ...(leader === undefined || leader === 'hidden' ? {} : { leader }),
    troubles: troublesOf(facts, rules),
    images: imageCounts(records),
    ...(oldest?.since === undefined ? {} : { oldestWaiting: oldest.since }),
    copies: copies.slice(0, mostCopies),
    registries: registriesOf(records),
    rules,
  };
}

interface RuleStatus {
  readonly conditions?: readonly Condition[];
  readonly counts?: Readonly<Record<string, number>>;
}

function ruleItem(resource: Resource): Status['rules'][number] {
  const { conditions = [], counts = {} } = (resource.status ?? {}) as RuleStatus;
  const ready = conditions.find(({ type }) => type === 'Ready');
  const waits = conditions.find(({ type, status, reason }) => type === 'Reconciling' && status === 'True' && reason === 'TemporalUnavailable');
  const about = ready?.status === 'True' ? (waits ?? ready) : ready;
  return {
    rule: ruleText(resource),
    ready: ready?.status ?? 'Unknown',
    ...(about === undefined ? {} : { reason: about.reason, message: about.message }),
    suspended: (resource.spec as { suspend?: unknown } | undefined)?.suspend === true,
    counts,
  };
}

function imageCounts(records: readonly ImageRecord[]): Status['images'] {
  const known = records.map((record) => ({ record, standing: standingOf(record) }));
  const used = known.filter(({ standing }) => standing.isUsed);
  const count = (claim: (each: (typeof known)[number]) => boolean, among = used): number => among.filter(claim).length;
  return {
    used: used.length,
    unavailable: count(({ standing }) => standing.origin === 'unavailable'),
    unpullable: count(({ standing }) => standing.pullable === 'no'),
    mirrored: count(({ standing: { copies, isUnmirrored } }) => copies.wanted > 0 && !isUnmirrored),
    waiting: count(({ record }) => mirrorsOf(record).some(isWaiting)),
    failed: count(({ record }) => mirrorsOf(record).some(({ failure }) => failure !== undefined)),
    unmirrored: count(({ standing }) => standing.copies.wanted === 0),
    drifted: count(({ standing }) => standing.isDrifted, known),
    unused: known.length - used.length,
  };
}

/** The manager writes the workflow when the copy begins. */
function waitingCopies(records: readonly ImageRecord[]): Status['copies'] {
  const found = records.filter(({ pods }) => pods > 0).flatMap((record) => mirrorsOf(record).filter(isWaiting).map((place) => waitingCopy(record, place)));
  return found.sort((one, other) => ((one.since ?? '') < (other.since ?? '') ? -1 : 1));
}

function waitingCopy({ image, conditions = [] }: ImageRecord, { reference, workflowId }: PlaceRecord): Status['copies'][number] {
  const since = conditions.find(({ type, status }) => type === 'Mirrored' && status === 'False')?.lastTransitionTime;
  return { image, destination: reference, state: workflowId === undefined ? 'waiting' : 'copying', ...(since === undefined ? {} : { since }) };
}

function isWaiting(place: PlaceRecord): boolean {
  return !isCopied(place) && place.failure === undefined;
}

const badStates: readonly string[] = ['Unreachable', 'QuotaExceeded', 'InvalidAuth', 'UnavailableSecret'];

/** Registries by what they do to several images, most first. A missing image is the image's trouble. */
export function registriesOf(records: readonly ImageRecord[]): Status['registries'] {
  const found = new Map<string, { registry: string; state: string; images: number }>();
  for (const { places, pods } of records) {
    if (pods === 0) continue;
    for (const { reference, state = 'Scheduled' } of places) {
      const host = parseImageRef(reference)?.host;
      if (host === undefined || !badStates.includes(state)) continue;
      const known = found.get(`${host} ${state}`) ?? { registry: host, state, images: 0 };
      found.set(`${host} ${state}`, { ...known, images: known.images + 1 });
    }
  }
  return [...found.values()].sort((one, other) => other.images - one.images || (one.registry < other.registry ? -1 : 1));
}

/** What is wrong, the worst first, each with what to do about it. */
import { conditionReasons } from '../../api/condition-reasons.js';
import { failures, type FailureCode } from '../../domain/failure.js';
import { parseImageRef } from '../../domain/image-ref.js';
import { mirrorsOf, standingOf } from '../../domain/image-standing.js';
import type { Condition, ImageRecord, PlaceFailure } from '../../domain/record.js';
import { ruleText } from '../../domain/rule.js';
import type { Status } from '../documents/status.js';
import type { StatusFacts } from './picture.js';

type Trouble = Status['troubles'][number];

/** Leases are renewed every few seconds; after a minute nobody holds this one any more. */
export const leaderLostMs = 60_000;

export function troublesOf(facts: StatusFacts, rules: Status['rules']): Trouble[] {
  const used = facts.records.filter(({ pods }) => pods > 0);
  return [
    ...webhookTroubles(facts),
    ...leaderTroubles(facts),
    ...temporalTroubles(rules, facts.namespace),
    ...lostImages(used),
    ...ruleTroubles(facts),
    ...failingCopies(used),
    ...missingOrigins(used),
    ...conditionTroubles(facts),
  ];
}

function webhookTroubles({ installation: { webhook }, namespace }: StatusFacts): Trouble[] {
  if (webhook === 'absent') return [{ what: 'the webhook is not registered: no Pod is routed', next: `is kuik installed here, in namespace ${namespace}? kuik check says more` }];
  if (webhook === 'untrusted') return [{ what: 'nobody has published the authority of the webhook: no Pod is routed', next: `kubectl -n ${namespace} logs -l app.kubernetes.io/component=manager tells why` }];
  return [];
}

function leaderTroubles({ installation: { leader }, namespace, now }: StatusFacts): Trouble[] {
  const next = `kubectl -n ${namespace} get pods shows whether the manager runs; Pods are routed all the same, by what was known`;
  if (leader === 'hidden') return [];
  if (leader === undefined) return [{ what: 'no manager leads: nothing is copied, checked or cleaned up', next }];
  const silentMs = now - Date.parse(leader.renewedAt);
  return silentMs > leaderLostMs ? [{ what: `no manager leads since ${leader.renewedAt}: nothing new is copied, checked or cleaned up`, next }] : [];
}

function temporalTroubles(rules: Status['rules'], namespace: string): Trouble[] {
  const away = rules.filter(({ reason }) => reason === 'TemporalUnavailable');
  if (away.length === 0) return [];
  return [{ what: 'Temporal cannot be reached: copies and deletions wait; Pods are created and routed all the same', next: `kubectl -n ${namespace} get pods shows whether it runs, and the manager's log why it is not reached` }];
}

function lostImages(used: readonly ImageRecord[]): Trouble[] {
  const lost = used.filter((record) => standingOf(record).pullable === 'no');
  return lost.length === 0 ? [] : [{ what: `${imagesText(lost)} can be pulled from nowhere: a Pod that needs a new node will not start`, next: 'kuik images --unavailable -o wide lists why' }];
}

function missingOrigins(used: readonly ImageRecord[]): Trouble[] {
  const missing = used.map((record) => ({ record, standing: standingOf(record) })).filter(({ standing }) => standing.origin === 'unavailable' && standing.pullable !== 'no');
  if (missing.length === 0) return [];
  return [{ what: `${imagesText(missing.map(({ record }) => record))} cannot be pulled from where ${missing.length === 1 ? 'it comes' : 'they come'} from; other places serve`, next: 'kuik images --unavailable lists why' }];
}

/** One line per code and registry: after an outage hundreds fail for one reason. */
function failingCopies(used: readonly ImageRecord[]): Trouble[] {
  const groups = new Map<string, { code: FailureCode; host: string; records: ImageRecord[]; message: string }>();
  for (const record of used) {
    for (const { failure, reference } of mirrorsOf(record)) {
      if (failure === undefined) continue;
      const host = hostAtFault(failure, record.image, reference);
      const group = groups.get(`${failure.code} ${host}`) ?? { code: failure.code, host, records: [], message: failure.message };
      group.records.push(record);
      groups.set(`${failure.code} ${host}`, group);
    }
  }
  return [...groups.values()]
    .sort((one, other) => other.records.length - one.records.length)
    .map(({ code, host, records, message }) => ({
      what: `the copy of ${imagesText(records)} fails with ${code}${host === '' ? '' : ` at ${host}`}: ${message}`,
      next: `${lowerFirst(failures[code].help.replace(/\.$/, ''))}; then kuik retry --failed${host === '' ? '' : ` --registry ${host}`}`,
    }));
}

/** The side that failed names the registry. */
function hostAtFault({ side }: PlaceFailure, image: string, destination: string): string {
  const reference = side === 'destination' ? destination : side === 'source' ? image : undefined;
  return reference === undefined ? '' : (parseImageRef(reference)?.host ?? '');
}

function ruleTroubles({ rules }: StatusFacts): Trouble[] {
  return rules.flatMap((rule) => {
    const ready = conditionsOf(rule).find(({ type }) => type === 'Ready');
    if (ready === undefined || ready.status === 'True' || ready.reason === 'Pending') return [];
    return [{ what: `${ruleText(rule)} is not ready, ${ready.reason}: ${ready.message}`, next: helpOf(ready.reason) }];
  });
}

/** What images or Ready tell already is not told again. */
const toldElsewhere: readonly string[] = ['Ready', 'Reconciling', 'Stalled', 'DestinationInSync', 'SourceReachable', 'DestinationReachable', 'AllImagesAvailable'];

function conditionTroubles({ rules }: StatusFacts): Trouble[] {
  return rules.flatMap((rule) =>
    conditionsOf(rule)
      .filter(({ type, status }) => status === 'False' && !toldElsewhere.includes(type))
      .map(({ type, reason, message }) => ({ what: `${ruleText(rule)}: ${type} is False, ${reason}: ${message}`, next: helpOf(reason) })),
  );
}

function conditionsOf({ status }: { readonly status: unknown }): readonly Condition[] {
  return (status as { readonly conditions?: readonly Condition[] } | undefined)?.conditions ?? [];
}

/** The sentence of the reference page. */
function helpOf(reason: string): string {
  if (Object.hasOwn(conditionReasons, reason)) return conditionReasons[reason as keyof typeof conditionReasons];
  return Object.values(failures).find((failure) => failure.reason === reason)?.help ?? 'docs/reference/reasons.md says what it means';
}

const mostNamed = 3;

/** `3 images (nginx:1, ...)`, or the one by its name. */
function imagesText(records: readonly ImageRecord[]): string {
  const names = [...new Set(records.map(({ image }) => image))].sort();
  if (names.length === 1) return names[0] ?? '';
  return `${names.length} images (${names.slice(0, mostNamed).join(', ')}${names.length > mostNamed ? ', ...' : ''})`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

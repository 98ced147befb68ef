import { anonymous, type Fact } from '../../domain/availability.js';
import type { Candidate } from '../../domain/candidate.js';
import { annotations } from '../../domain/names.js';
import { readOriginals } from '../../domain/original.js';
import { ruleText } from '../../domain/rule.js';
import type { Pod } from '../../domain/usage.js';
import type { ConsideredPlace, PodDecision, UsageDecision } from '../../webhook/pod-decision.js';

/** What is said of one Pod; the `-o json` form, additive. */
export interface Explanation {
  readonly namespace: string;
  readonly name: string;
  /** why the Pod as a whole is left alone */
  readonly skipped?: string;
  readonly containers: readonly ExplainedContainer[];
}

export interface ExplainedContainer {
  readonly container: string;
  /** as the user wrote it */
  readonly image: string;
  readonly verdict: UsageDecision['verdict'];
  readonly reason: string;
  /** what it would pull, decided now */
  readonly pulls: string;
  /** what the Pod in the cluster names, and the reason recorded with it */
  readonly now?: { readonly image: string; readonly reason?: string };
  readonly pullSecret?: string;
  readonly places: readonly ExplainedPlace[];
}

export interface ExplainedPlace {
  readonly place: string;
  readonly rule: string;
  readonly verdict: string;
  readonly why: string;
}

/** Credential identity to `namespace/name` of its Secret. */
type NamesOf = (candidate: Candidate) => Promise<ReadonlyMap<string, string>>;

export async function explanationOf(pod: Pod, decision: PodDecision, namesOf: NamesOf): Promise<Explanation> {
  const about = { namespace: pod.namespace, name: pod.name };
  if ('skipped' in decision) return { ...about, skipped: decision.skipped, containers: [] };
  return { ...about, containers: await Promise.all(decision.usages.map((usage) => containerOf(pod, usage, namesOf))) };
}

async function containerOf(pod: Pod, decision: UsageDecision, namesOf: NamesOf): Promise<ExplainedContainer> {
  const { usage, verdict, reason, image, pullSecret, places } = decision;
  const now = pod.usages.find(({ key }) => key === usage.key)?.written;
  const recorded = readOriginals(pod.annotations[annotations.reason] ?? '{}')?.get(usage.key);
  return {
    container: usage.key,
    image: usage.written,
    verdict,
    reason,
    pulls: image ?? usage.written,
    ...(recorded !== undefined && now !== undefined ? { now: { image: now, reason: recorded } } : {}),
    ...(pullSecret === undefined ? {} : { pullSecret }),
    places: await Promise.all(places.map(async (place) => placeOf(place, place.fact === undefined || place.fact.identity === anonymous ? new Map() : await namesOf(place.candidate)))),
  };
}

function placeOf({ candidate, verdict, fact, passedOver, note }: ConsideredPlace, names: ReadonlyMap<string, string>): ExplainedPlace {
  const why = [passedOver && passedOverTexts[passedOver], fact && factText(fact, names), note].filter((part) => part !== undefined);
  return {
    place: candidate.text,
    rule: candidate.rule === undefined ? '(origin)' : ruleText(candidate.rule),
    verdict,
    why: why.join('; ') || (verdict === 'unasked' ? 'nothing it says could change the choice' : ''),
  };
}

const passedOverTexts = {
  Retiring: 'about to be deleted',
  HeldByAnotherImage: 'holds the copy of another image',
  SecretMissing: 'its Secret cannot be used',
  SecretNotNamed: 'the Pod does not name its Secret, and cannot any more',
  PlatformMissing: 'lacks the platform the Pod asks for',
} as const satisfies Record<NonNullable<ConsideredPlace['passedOver']>, string>;

function factText({ state, identity, tookMs, digest, message }: Fact, names: ReadonlyMap<string, string>): string {
  const whose = identity === anonymous ? 'anonymously' : `as ${names.get(identity) ?? `credential ${identity}`}`;
  const took = tookMs === undefined ? '' : ` in ${Math.round(tookMs)} ms`;
  const seen = state === 'Available' ? `available${took} ${whose}` : `${state}${took} ${whose}`;
  return [seen, message, digest?.slice(0, 'sha256:'.length + 8)].filter((part) => part !== undefined && part !== '').join(', ');
}

const headings: ExplainedPlace = { place: 'PLACE', rule: 'RULE', verdict: 'VERDICT', why: 'WHY' };

/** For people: a paragraph per container, a line per place. */
export function printExplanation({ namespace, name, skipped, containers }: Explanation): string {
  const title = titleOf(namespace, name);
  if (skipped !== undefined) return `${title}  left alone: ${skipped}\n`;
  return `${[title, ...containers.map(printContainer)].join('\n')}\n`;
}

/** Pods of a template go by their workload: `deployment/web`. */
function titleOf(namespace: string, name: string): string {
  const [kind, own] = name.split('/', 2);
  return own === undefined ? `pod ${namespace}/${name}` : `${kind} ${namespace}/${own}`;
}

function printContainer({ container, image, pulls, reason, now, pullSecret, places }: ExplainedContainer): string {
  return [
    `container ${container}   ${image}  ->  ${pulls}   ${reason}`,
    ...(now === undefined ? [] : [`  when it was created: ${now.image}, ${now.reason ?? ''}`]),
    ...(pullSecret === undefined ? [] : [`  with Secret ${pullSecret}`]),
    ...table([headings, ...places].map((row) => [row.place, row.rule, row.verdict, row.why])),
  ].join('\n');
}

function table(rows: readonly (readonly string[])[]): string[] {
  if (rows.length < 2) return [];
  const widths = rows[0]?.map((_heading, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd());
}

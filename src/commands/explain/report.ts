import { anonymous, type Fact } from '../../domain/availability.js';
import type { Candidate } from '../../domain/candidate.js';
import { formatDuration } from '../../domain/duration.js';
import { parseImageRef } from '../../domain/image-ref.js';
import { annotations, type RouteReason } from '../../domain/names.js';
import type { LeftAloneReason } from '../../domain/opt-out.js';
import { readOriginals } from '../../domain/original.js';
import { ruleText } from '../../domain/rule.js';
import type { Pod, Usage } from '../../domain/usage.js';
import type { ConsideredPlace, PodDecision, UsageDecision } from '../../webhook/pod-decision.js';
import { columns } from '../columns.js';
import { printable } from '../text-width.js';
import { asIfText, type AsIf } from './as-if.js';

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
  readonly reason: RouteReason | Extract<LeftAloneReason, 'Recorded'>;
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
  /** what was found there, where anybody looked: the same as in `why`, for programs */
  readonly state?: string;
  /** `anonymous`, `namespace/name` of a Secret, or the number of a credential that may not be named */
  readonly as?: string;
  readonly digest?: string;
  /** milliseconds, of a probe that was made just now */
  readonly tookMs?: number;
}

/** Credential identity to `namespace/name` of its Secret. */
type NamesOf = (candidate: Candidate) => Promise<ReadonlyMap<string, string>>;

/** What was decided about a Pod, and what was not even asked. */
export interface Decided {
  readonly pod: Pod;
  /** containers that their user keeps out */
  readonly recorded?: readonly Usage[];
  readonly decision: PodDecision;
  readonly asIf?: AsIf;
  /** milliseconds since the epoch */
  readonly now: number;
}

export async function explanationOf(decided: Decided, namesOf: NamesOf): Promise<Explanation> {
  const { pod, recorded = [], decision } = decided;
  const about = { namespace: pod.namespace, name: pod.name };
  if ('skipped' in decision) return { ...about, skipped: decision.skipped, containers: [] };
  const explained = await Promise.all(decision.usages.map((usage) => containerOf(decided, usage, namesOf)));
  return { ...about, containers: [...explained, ...recorded.map(keptOut)] };
}

function keptOut({ key, written }: Usage): ExplainedContainer {
  return { container: key, image: written, verdict: 'skip', reason: 'Recorded', pulls: written, places: [] };
}

const badReasons: readonly string[] = ['NoPlaceAvailable', 'InvalidReference', 'Error'] satisfies RouteReason[];
/** Where nothing was asked, the answer hangs on what somebody imagines. */
const unaskedReasons: readonly string[] = ['OnlyOrigin', 'Recorded'] satisfies (RouteReason | LeftAloneReason)[];

/** Whether every image can be pulled from somewhere, as far as anybody can tell. */
export function isGood({ containers }: Explanation, asIf: AsIf): boolean {
  return containers.every(({ reason, pulls }) => !badReasons.includes(reason) && !(unaskedReasons.includes(reason) && asIf.has(parseImageRef(pulls)?.host ?? '')));
}

async function containerOf(decided: Decided, decision: UsageDecision, namesOf: NamesOf): Promise<ExplainedContainer> {
  const { pod } = decided;
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
    places: await Promise.all(places.map(async (place) => placeOf(place, decided, place.fact === undefined || place.fact.identity === anonymous ? new Map() : await namesOf(place.candidate)))),
  };
}

function placeOf({ candidate, verdict, fact, passedOver, note }: ConsideredPlace, { asIf, now }: Decided, names: ReadonlyMap<string, string>): ExplainedPlace {
  const pretence = fact === undefined ? asIf?.get(candidate.ref.host) : undefined; // a fact says it itself
  const why = [passedOver && passedOverTexts[passedOver], fact && factText(fact, now, names), pretence && asIfText(candidate.ref.host, pretence), note].filter((part) => part !== undefined);
  return {
    place: candidate.text,
    rule: candidate.rule === undefined ? '(origin)' : ruleText(candidate.rule),
    verdict,
    why: why.join('; ') || (verdict === 'unasked' ? 'nothing it says could change the choice' : ''),
    ...(fact === undefined ? {} : factFields(fact, names)),
  };
}

const passedOverTexts = {
  Retiring: 'about to be deleted',
  HeldByAnotherImage: 'holds the copy of another image',
  SecretMissing: 'its Secret cannot be used',
  SecretNotNamed: 'the Pod does not name its Secret, and cannot any more',
  PlatformMissing: 'lacks the platform the Pod asks for',
} as const satisfies Record<NonNullable<ConsideredPlace['passedOver']>, string>;

function factText({ state, identity, tookMs, digest, message, checkedAt }: Fact, now: number, names: ReadonlyMap<string, string>): string {
  const whose = identity === anonymous ? 'anonymously' : `as ${names.get(identity) ?? `credential ${identity}`}`;
  // what nobody asked just now, a record remembers
  const took = tookMs === undefined ? ` ${agoText(now - checkedAt)}` : ` in ${Math.round(tookMs)} ms`;
  const seen = state === 'Available' ? `available${took} ${whose}` : `${state}${took} ${whose}`;
  return [seen, message, digest?.slice(0, 'sha256:'.length + 8)].filter((part) => part !== undefined && part !== '').join(', ');
}

function factFields({ state, identity, digest, tookMs }: Fact, names: ReadonlyMap<string, string>): Pick<ExplainedPlace, 'state' | 'as' | 'digest' | 'tookMs'> {
  return { state, as: names.get(identity) ?? identity, ...(digest === undefined ? {} : { digest }), ...(tookMs === undefined ? {} : { tookMs: Math.round(tookMs) }) };
}

function agoText(ms: number): string {
  return `${formatDuration(Math.max(0, Math.round(ms / 1000)) * 1000)} ago`;
}

const headings = ['PLACE', 'RULE', 'VERDICT', 'WHY'];
const wideHeadings = ['PLACE', 'RULE', 'VERDICT', 'STATE', 'AS', 'TOOK', 'DIGEST', 'WHY'];

/** For people: a paragraph per container, a line per place. */
export function printExplanation({ namespace, name, skipped, containers }: Explanation, form: 'table' | 'wide' = 'table'): string {
  const title = titleOf(namespace, name);
  if (skipped !== undefined) return `${title}  left alone: ${skipped}\n`;
  return `${[title, ...containers.flatMap((container) => containerLines(container, form))].map(printable).join('\n')}\n`; // a Pod may name anything
}

/** Pods of a template go by their workload: `deployment/web`; an image by itself has a name with many slashes. */
function titleOf(namespace: string, name: string): string {
  const slash = name.indexOf('/');
  if (slash === -1) return `pod ${namespace}/${name}`;
  const [kind, own] = [name.slice(0, slash), name.slice(slash + 1)];
  return kind === 'image' ? `image ${own} in namespace ${namespace}` : `${kind} ${namespace}/${own}`;
}

function containerLines({ container, image, pulls, reason, now, pullSecret, places }: ExplainedContainer, form: 'table' | 'wide'): readonly string[] {
  return [
    `container ${container}   ${image}  ->  ${pulls}   ${reason}`,
    ...(now === undefined ? [] : [`  when it was created: ${now.image}, ${now.reason ?? ''}`]),
    ...(pullSecret === undefined ? [] : [`  with Secret ${pullSecret}`]),
    ...table(form === 'wide' ? [wideHeadings, ...places.map(wideRow)] : [headings, ...places.map(({ place, rule, verdict, why }) => [place, rule, verdict, why])]),
  ];
}

function wideRow({ place, rule, verdict, why, state = '', as = '', tookMs, digest = '' }: ExplainedPlace): readonly string[] {
  return [place, rule, verdict, state, as, tookMs === undefined ? '' : `${tookMs} ms`, digest, why];
}

function table(rows: readonly (readonly string[])[]): string[] {
  if (rows.length < 2) return [];
  return columns(rows).trimEnd().split('\n').map((line) => `  ${line}`);
}

/** What people read of a keeper: one line for a list, a few for a page. Markdown, as the Temporal UI shows it. */
import { parseImageRef, repositoryText, type ImageName, type PlaceId } from './image-ref.js';
import { heardAt, isLive, type HeldClaim } from './claims.js';
import { expiryOfCopy, reasonOf } from './keeper-deletion.js';
import { phaseOf, type Phase, type Step } from './keeper.js';
import type { KeeperState } from './keeper-state.js';
import { ruleText } from './rule.js';
import type { CopyOutcome } from './task.js';
import type { Drift } from './drift.js';
import type { FailureInfo } from './failure.js';

/** What the query `status` answers and `kuik status` prints. Times are RFC 3339. */
export interface KeeperStatus {
  readonly v: 1;
  readonly destination: PlaceId;
  readonly phase: Phase;
  readonly next: { readonly step: Step['kind']; readonly reason: string; readonly at?: string };
  readonly claims: readonly { readonly cluster: string; readonly image?: ImageName; readonly rules: readonly string[]; readonly state: 'live' | 'expired' | 'released' | 'forgotten'; readonly expiresAt: string; readonly heardAt?: string }[];
  readonly copy?: CopyOutcome;
  readonly drift?: Drift;
  readonly failure?: FailureInfo & { readonly since: string; readonly attempts: number; readonly nextAt: string };
  /** why the last deletion did not take place: one of `blockReasons`, or a failure code */
  readonly blocked?: { readonly reason: string; readonly message: string; readonly since: string; readonly attempts: number; readonly nextAt: string };
  readonly unusedSince?: string;
  readonly expiresAt?: string;
}

export function statusOf(state: KeeperState, step: Step, now: number): KeeperStatus {
  const expiry = expiryOfCopy(state, now);
  const { failure, blocked } = state;
  return {
    v: 1,
    destination: state.destination,
    phase: phaseOf(state, now),
    next: { step: step.kind, reason: step.reason, ...(step.kind === 'wait' ? { at: timeText(step.at) } : {}) },
    claims: state.claims.map((held) => ({
      cluster: held.cluster,
      ...(held.claim === undefined ? {} : { image: held.claim.image }),
      rules: (held.claim?.rules ?? []).map(ruleText),
      state: claimState(held, now),
      expiresAt: timeText(held.expiresAt),
      ...(held.claim === undefined ? {} : { heardAt: timeText(heardAt(held.claim, held.expiresAt)) }),
    })),
    ...(state.copy === undefined ? {} : { copy: state.copy.outcome }),
    ...(state.drift === undefined ? {} : { drift: state.drift }),
    ...(failure === undefined ? {} : { failure: { ...failure.info, since: timeText(failure.since), attempts: failure.attempts, nextAt: timeText(failure.nextAt) } }),
    ...(blocked === undefined ? {} : { blocked: { reason: reasonOf(blocked.why), message: blocked.why.message, since: timeText(blocked.since), attempts: blocked.attempts, nextAt: timeText(blocked.nextAt) } }),
    ...(expiry === undefined ? {} : { unusedSince: timeText(expiry.unusedSince) }),
    ...(expiry?.cleanup === true ? { expiresAt: timeText(expiry.dueAt) } : {}),
  };
}

function claimState(held: HeldClaim, now: number): KeeperStatus['claims'][number]['state'] {
  if (isLive(held, now)) return 'live';
  if (held.forgotten === true) return 'forgotten';
  return held.releasedAt === undefined ? 'expired' : 'released';
}

/** The page of one keeper: where it stands, what comes next, who claims it. */
export function storyOf(status: KeeperStatus): string {
  const { next, copy, drift, failure, blocked } = status;
  const lines = [
    `**${status.phase}**: ${sentenceOf(status)}`,
    ...(next.at === undefined ? [] : [`Next: ${next.reason} at ${next.at}`]),
    ...(copy === undefined ? [] : [`Copy: ${copy.digest} (${copy.strategy}) of ${copy.mirroredAt}, ${copy.platforms.join(', ') || 'single platform'}`]),
    ...(copy?.warnings ?? []).map((warning) => `Warning: ${warning}`),
    ...(copy === undefined || copy.missingPlatforms.length === 0 ? [] : [`Missing at the source: ${copy.missingPlatforms.join(', ')}`]),
    ...(drift?.origin === undefined ? [] : [`Drift: the tag of the origin names ${drift.origin} now`]),
    ...(drift?.destination === undefined ? [] : [`Drift: the destination answers ${drift.destination}, which somebody else wrote; \`retry\` writes the copy again`]),
    ...(failure === undefined ? [] : [`Failed ${failure.attempts} times since ${failure.since}. Send the signal \`retry\` to try now.`]),
    ...(blocked === undefined ? [] : [`Not deleted since ${blocked.since}, ${blocked.attempts} times, next at ${blocked.nextAt}: ${blocked.reason}, ${blocked.message}. Send the signal \`retry\` to try now.`]),
    ...status.claims.map((claim) => `Claim: ${claim.cluster}, ${claim.state}, ${claim.rules.join(', ') || 'no rule'}, lease until ${claim.expiresAt}`),
  ];
  return lines.join('\n\n');
}

function sentenceOf({ phase, failure, expiresAt }: KeeperStatus): string {
  switch (phase) {
    case 'Pending':
      return 'wanted, not copied yet';
    case 'Copying':
      return 'a copy is under way, see the workflow task/ of the same name';
    case 'Mirrored':
      return 'the destination holds a verified copy';
    case 'Failed':
      return failure === undefined ? 'the last copy failed' : `${failure.code} at the ${failure.side}${failure.host === undefined ? '' : ` ${failure.host}`}: ${failure.message}`;
    case 'Expiring':
      return expiresAt === undefined ? 'nobody claims it; the copy stays' : `nobody claims it; kept until ${expiresAt}`;
    case 'Deleting':
      return 'a deletion is under way, see the workflow task/ of the same name';
    case 'Paused':
      return 'no operation starts until the signal `resume`';
  }
}

const longestSummary = 200; // bytes; references are ASCII

/** `nginx:1.27 -> registry.example.com/mirror/library/nginx:1.27`, one line. */
export function copySummary(image: ImageName, destination: PlaceId): string {
  const text = `${shortName(image)} -> ${destination}`;
  return text.length <= longestSummary ? text : `${text.slice(0, longestSummary - 3)}...`;
}

/** `delete registry.example.com/mirror/library/nginx:1.27`, one line. */
export function deletionSummary(destination: PlaceId): string {
  return `delete ${destination}`.slice(0, longestSummary);
}

/** As people write it: without Docker Hub's host and library. */
function shortName(image: ImageName): string {
  return image.replace(/^docker\.io\/(?:library\/)?/, '');
}

/** Where people look for it: host and repository of a reference. */
export function whereIs(reference: string): { readonly host: string; readonly repository: string } {
  const ref = parseImageRef(reference);
  if (ref === undefined) return { host: reference, repository: reference };
  return { host: ref.host, repository: repositoryText(ref) };
}

function timeText(at: number): string {
  return new Date(at).toISOString();
}

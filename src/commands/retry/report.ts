import { nextStep } from '../copy/next-step.js';
import { columns } from '../columns.js';
import { cliVersion } from '../command-line.js';
import type { RetryResultList } from '../documents/requests.js';
import { recordText } from '../find-images.js';
import type { AvailabilityState } from '../../domain/availability.js';
import { knownImageRef } from '../../domain/image-ref.js';
import type { Check } from './follow-checks.js';
import type { Copy } from './follow.js';

/** How everything that was asked for stands. */
export interface Results {
  readonly copies: readonly Copy[];
  readonly checks: readonly Check[];
}

/** What has become of each copy, and of each check: the tables for people. */
export function resultsTable({ copies, checks }: Results, { dryRun, form = 'table' }: { readonly dryRun: 'none' | 'client' | 'server'; readonly form?: 'table' | 'wide' }): string {
  const said = (result: string): string => (dryRun === 'none' ? result : `${result} (${dryRun} dry run)`);
  const wide = (...texts: readonly string[]): readonly string[] => (form === 'wide' ? texts : []);
  const ofCopies = copies.map((copy) => [copy.image, copy.destination, said(copy.result), ...wide(copy.record, copy.digest ?? '', copy.failure?.since ?? '', String(copy.failure?.attempts ?? '')), whyOf(copy)]);
  const ofChecks = checks.map((check) => [check.image, said(check.result), ...wide(check.record, check.digest ?? ''), whyFound(check)]);
  const parts = [
    table(['IMAGE', 'DESTINATION', 'RESULT', ...wide('RECORD', 'DIGEST', 'FAILS-SINCE', 'ATTEMPTS'), 'WHY'], ofCopies),
    table(['IMAGE', 'CHECK', ...wide('RECORD', 'DIGEST'), 'WHY'], ofChecks),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : columns([headings, ...rows]);
}

export function resultsDocument({ copies, checks }: Results): RetryResultList {
  return {
    apiVersion: cliVersion,
    kind: 'RetryResultList',
    items: copies.map((copy) => ({ ...copy, ...(stepOf(copy) === '' ? {} : { nextStep: stepOf(copy) }) })),
    checks: checks.map((check) => ({ ...check, ...(check.result === 'unavailable' || check.result === 'refused' ? { nextStep: stepFor(check) } : {}) })),
  };
}

/** Each record once, so that kubectl takes it. */
export function resultsNames({ copies, checks }: Results): string {
  return [...new Set([...copies, ...checks].map(({ record }) => `${recordText({ name: record })}\n`))].join('');
}

function whyOf(copy: Copy): string {
  const { result, failure, digest, message = '' } = copy;
  if (result === 'refused') return `${message}; ${stepOf(copy)}`;
  if (failure !== undefined) return `${failure.code}: ${failure.message}; ${stepOf(copy)}`;
  if (result === 'copied') return shortDigest(digest);
  return result === 'unwanted' ? 'no rule wants this copy any more' : '';
}

function askAgain(image: string): string {
  return `ask again with kuik retry ${image}`;
}

/** The registry is named by the message, too; here by the side that is known: the destination's, unless the origin is at fault. */
function stepOf({ result, failure, image, destination }: Copy): string {
  if (result === 'refused') return askAgain(image);
  if (failure === undefined) return '';
  const hosts = [image, destination].map((text) => knownImageRef(text).host);
  return nextStep({ code: failure.code, host: hosts.find((host) => failure.message.includes(host)) });
}

function whyFound(check: Check): string {
  const { result, state, message, digest } = check;
  if (result === 'unavailable') return [`${state}${message === undefined ? '' : `: ${message}`}`, stepFor(check)].filter((part) => part !== '').join('; ');
  if (result === 'available') return shortDigest(digest);
  if (result === 'refused') return `${message}; ${stepFor(check)}`;
  return result === 'untracked' ? 'no rule tracks it any more' : '';
}

/** What a person does about an image that cannot be pulled. */
const steps: Readonly<Record<AvailabilityState, (host: string) => string>> = {
  Scheduled: () => '',
  Available: () => '',
  NotFound: () => 'check the name and the tag, or push it again',
  Unreachable: (host) => `check the way from the cluster to ${host}; it is checked again by itself`,
  InvalidAuth: (host) => `check the pull Secrets of its Pods for ${host}: registries also refuse what one may not see`,
  UnavailableSecret: () => 'create the Secret, or let kuik read it',
  QuotaExceeded: (host) => `wait, or give its Pods a pull Secret of a higher quota at ${host}`,
};

function stepFor({ result, state = 'Scheduled', image }: Check): string {
  return result === 'refused' ? askAgain(image) : steps[state](knownImageRef(image).host);
}

function shortDigest(digest = ''): string {
  return digest.slice(0, 'sha256:'.length + 12);
}

/** Counts in the order of a story: `12 of 300 copied, 3 failed, 285 waiting; 1 of 1 available`. */
export function sumText({ copies, checks }: Results): string {
  const parts = [
    copies.length > 0 ? countsText(copies, 'copied', ['failed', 'refused', 'unwanted', 'waiting', 'asked']) : '',
    checks.length > 0 ? countsText(checks, 'available', ['unavailable', 'refused', 'untracked', 'waiting', 'asked']) : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}

function countsText<Result extends string>(all: readonly { readonly result: Result }[], good: Result, others: readonly Result[]): string {
  const count = (wanted: Result): number => all.filter(({ result }) => result === wanted).length;
  const rest = others.map((result) => [count(result), result] as const).filter(([number]) => number > 0);
  return [`${count(good)} of ${all.length} ${good}`, ...rest.map(([number, result]) => `${number} ${result}`)].join(', ');
}

/** 1: could not ask for all, or not done in time, 2: a copy failed or an image cannot be pulled, or nobody wants that any more, 0: all is well. */
export function exitCodeOf({ copies, checks }: Results): 0 | 1 | 2 {
  const results = [...copies, ...checks].map(({ result }) => result);
  if (results.some((result) => result === 'asked' || result === 'waiting' || result === 'refused')) return 1;
  return results.every((result) => result === 'copied' || result === 'available') ? 0 : 2;
}

/** The same where nobody waits: what was asked for is all that was to be done. */
export function exitCodeOfAsking({ copies, checks }: Results): 0 | 1 | 2 {
  const results = new Set([...copies, ...checks].map(({ result }) => result));
  if (results.has('refused')) return 1;
  return results.has('unwanted') || results.has('untracked') ? 2 : 0;
}

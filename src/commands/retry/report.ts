import { nextStep } from '../copy/next-step.js';
import { columns } from '../columns.js';
import { cliVersion } from '../command-line.js';
import type { RetryResultList } from '../documents/requests.js';
import { recordText } from '../find-images.js';
import { knownImageRef } from '../../domain/image-ref.js';
import type { Copy } from './follow.js';

/** What has become of each copy: the table for people. */
export function copiesTable(copies: readonly Copy[], dryRun: 'none' | 'client' | 'server'): string {
  const rows = copies.map((copy) => [copy.image, copy.destination, dryRun === 'none' ? copy.result : `${copy.result} (${dryRun} dry run)`, whyOf(copy)]);
  return columns([['IMAGE', 'DESTINATION', 'RESULT', 'WHY'], ...rows]);
}

export function copiesDocument(copies: readonly Copy[]): RetryResultList {
  return { apiVersion: cliVersion, kind: 'RetryResultList', items: copies.map((copy) => ({ ...copy, ...(copy.failure === undefined ? {} : { nextStep: stepOf(copy) }) })) };
}

/** Each record once, so that kubectl takes it. */
export function copiesNames(copies: readonly Copy[]): string {
  return [...new Set(copies.map(({ record }) => `${recordText({ name: record })}\n`))].join('');
}

function whyOf(copy: Copy): string {
  const { result, failure, digest } = copy;
  if (failure !== undefined) return `${failure.code}: ${failure.message}; ${stepOf(copy)}`;
  if (result === 'copied') return digest?.slice(0, 'sha256:'.length + 12) ?? '';
  return result === 'unwanted' ? 'no rule wants this copy any more' : '';
}

/** The registry is named by the message, too; here by the side that is known: the destination's, unless the origin is at fault. */
function stepOf({ failure, image, destination }: Copy): string {
  if (failure === undefined) return '';
  const hosts = [image, destination].map((text) => knownImageRef(text).host);
  return nextStep({ code: failure.code, host: hosts.find((host) => failure.message.includes(host)) });
}

/** Counts in the order of a story: `12 of 300 copied, 3 failed, 285 waiting`. */
export function sumText(copies: readonly Copy[]): string {
  const count = (result: Copy['result']): number => copies.filter((copy) => copy.result === result).length;
  const rest = (['failed', 'unwanted', 'waiting', 'asked'] as const).map((result) => [count(result), result] as const).filter(([number]) => number > 0);
  return [`${count('copied')} of ${copies.length} copied`, ...rest.map(([number, result]) => `${number} ${result}`)].join(', ');
}

/** 1: not done in time, 2: a copy failed or is not wanted any more, 0: every copy is there. */
export function exitCodeOf(copies: readonly Copy[]): 0 | 1 | 2 {
  if (copies.some(({ result }) => result === 'asked' || result === 'waiting')) return 1;
  return copies.every(({ result }) => result === 'copied') ? 0 : 2;
}

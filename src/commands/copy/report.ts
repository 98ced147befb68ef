import type { FailureInfo } from '../../domain/failure.js';
import { columns } from '../columns.js';
import type { CopyResult, CopyResultList } from '../documents/copy.js';
import { formatBytes } from './frame.js';
import { nextStep } from './next-step.js';
import type { OutputForm } from './options.js';
import { isCopied, type NotCopied, type Outcome } from './outcome.js';

const apiVersion = 'cli.kuik.enix.io/v1';

/**
 * The result as data goes out: to standard output.
 *
 * @param asked whether one image was asked for, or a list
 */
export async function report(outcomes: readonly Outcome[], form: OutputForm, asked: 'one' | 'list'): Promise<string> {
  switch (form) {
    case 'table':
      return table(outcomes);
    case 'name':
      return outcomes.filter(isCopied).map(({ destination, digest }) => `${destination}@${digest}\n`).join('');
    case 'json':
      return `${JSON.stringify(asDocument(outcomes, asked), undefined, 2)}\n`;
    case 'yaml':
      return (await import('yaml')).stringify(asDocument(outcomes, asked)); // seldom asked for, and slow to load
  }
}

/** What went wrong with one copy, with the next step: to standard error. Messages of failures name side and host. */
export function complain({ source, destination, failure, message }: NotCopied): string {
  return `${source} -> ${destination}: ${message}${failure === undefined ? '' : `; ${nextStep(failure)}`}`;
}

function asDocument(outcomes: readonly Outcome[], asked: 'one' | 'list'): CopyResult | CopyResultList {
  const items = outcomes.map(resultOf);
  return asked === 'one' && items[0] !== undefined ? items[0] : { apiVersion, kind: 'CopyResultList', items };
}

function resultOf(outcome: Outcome): CopyResult {
  const head = { apiVersion, kind: 'CopyResult' } as const;
  if (!isCopied(outcome)) return { ...head, ...outcome, ...(outcome.failure === undefined ? {} : { failure: facts(outcome.failure), nextStep: nextStep(outcome.failure) }) };
  const { platforms, missingPlatforms, warnings, ...copied } = outcome;
  return { ...head, ...copied, platforms: [...platforms], missingPlatforms: [...missingPlatforms], ...(warnings === undefined ? {} : { warnings: [...warnings] }) };
}

/** Of a failure, what is promised to programs. */
function facts({ code, side, host, message, retryAfterMs }: FailureInfo): NonNullable<CopyResult['failure']> {
  return { code, side, message, ...(host === undefined ? {} : { host }), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function table(outcomes: readonly Outcome[]): string {
  const rows = outcomes.filter(isCopied).map(({ destination, verdict, digest, platforms, missingPlatforms, bytes }) => [
    destination,
    verdict,
    digest,
    platforms.join(',') || '-',
    missingPlatforms.join(',') || '-',
    formatBytes(bytes),
  ]);
  return rows.length === 0 ? '' : columns([['DESTINATION', 'RESULT', 'DIGEST', 'PLATFORMS', 'MISSING', 'SENT'], ...rows]);
}

/** The kinds of values in the configuration file: read into what decisions use, with a problem that tells what to write. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { compilePattern } from '../api/pattern.js';
import { formatDuration, parseDuration } from '../domain/duration.js';
import { readSelector } from '../domain/selector.js';

interface DurationBounds {
  /** milliseconds; 0 unless told */
  readonly least?: number;
  readonly most?: number;
  /** more than `least` */
  readonly isAbove?: true;
}

/**
 * A duration in Go's syntax, or the number 0.
 *
 * @returns a schema whose output is milliseconds
 */
export function duration(description: string, bounds: DurationBounds = {}) {
  const read = (value: unknown, context: z.RefinementCtx): number => {
    const problem = durationProblem(value, bounds);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    return durationMs(value) ?? z.NEVER;
  };
  return z.unknown().transform(read).meta({ description, type: 'string', words: 'duration' });
}

function durationMs(value: unknown): number | undefined {
  if (value === 0) return 0;
  return typeof value === 'string' ? parseDuration(value) : undefined;
}

function durationProblem(value: unknown, { least = 0, most = Infinity, isAbove }: DurationBounds): string | undefined {
  const ms = durationMs(value);
  if (ms === undefined) return 'is no duration; write one such as 30s, 10m or 168h';
  if (isAbove && ms <= least) return least === 0 ? 'must be positive' : `must be more than ${formatDuration(least)}`;
  if (ms < least) return least === 0 ? 'must not be negative' : `must be at least ${formatDuration(least)}`;
  return ms > most ? `must be at most ${formatDuration(most)}` : undefined;
}

/** A ready label selector; unlike in filters, a blank one would opt everything out and is refused. */
export const selector = z
  .string()
  .transform((text, context) => {
    const read = text.trim() === '' ? { problem: 'is blank; remove it, or write one such as app=web' } : readSelector(text);
    if ('selector' in read) return read.selector;
    context.addIssue({ code: 'custom', message: read.problem.startsWith('is ') ? read.problem : `is no selector: ${read.problem}` });
    return z.NEVER;
  })
  .meta({ description: 'A selector with the grammar of Kubernetes label selectors.', words: 'selector' });

/** A ready matcher of whole texts. */
export const pattern = z
  .string()
  .transform((text, context) => {
    const { matcher, error } = text.trim() === '' ? { error: 'it is blank' } : compilePattern(text);
    if (matcher !== undefined) return matcher;
    context.addIssue({ code: 'custom', message: `is no pattern: ${error}; write an RE2 expression for the whole text` });
    return z.NEVER;
  })
  .meta({ description: 'An RE2 pattern for the whole text.', words: 'pattern' });

/** A network as CIDR, or one address. */
export const cidr = z
  .string()
  .refine(isNetwork, { error: 'is no network; write one such as 10.0.0.0/8' })
  .meta({ description: 'A network as CIDR, or one address.', words: 'network' });

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  return family !== 0 && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32)));
}

export function whole(description: string, least = 0, most = Number.MAX_SAFE_INTEGER) {
  return z.int().min(least, { error: `must be at least ${least}` }).max(most, { error: `must be at most ${most}` }).meta({ description });
}

export function text(description: string) {
  return z.string().meta({ description });
}

export function flag(description: string) {
  return z.boolean().meta({ description });
}

/** The path of a file that has to be there at the start; its content replaces it in `loadConfig`. */
export function path(description: string) {
  return z.string().meta({ description, words: 'path' });
}

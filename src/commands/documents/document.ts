/**
 * The shapes of everything the command line prints as data: of each, a schema file is generated
 * (`docs/reference/cli/v1`). They only grow. Commands import their types; nobody pays for zod at run time.
 */
import { z } from 'zod';
import { cliVersion } from '../command-line.js';

/** A document with its kind in front. */
export function document<K extends string, S extends z.ZodRawShape>(kind: K, description: string, shape: S) {
  return z.object({ apiVersion: z.literal(cliVersion), kind: z.literal(kind), ...shape }).meta({ description });
}

/** RFC 3339 */
export const time = (description: string): z.ZodString => z.string().meta({ description, format: 'date-time' });
export const text = (description: string): z.ZodString => z.string().meta({ description });
export const count = (description: string): z.ZodInt => z.int().min(0).meta({ description });

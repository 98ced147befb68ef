import type { z } from 'zod';
import type { RuleKind } from '../../domain/rule.js';

/** A column of `kubectl get`; `isWide` ones appear with `-o wide` only. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  readonly isWide?: true;
}

/** One kind of resource: everything its CRD, its reference page and its readers need. */
export interface Kind {
  readonly kind: RuleKind | 'ImageAvailability';
  readonly plural: string;
  readonly shortName: string;
  readonly scope: 'Cluster' | 'Namespaced';
  /** the kinds that users write share one: `kubectl get kuik -A` */
  readonly categories: readonly string[];
  /** what it is for, in two or three sentences */
  readonly description: string;
  readonly spec: z.ZodType;
  readonly isSpecRequired?: true;
  readonly status: z.ZodType;
  readonly columns: readonly Column[];
  /** file names in `examples/`, for the reference page */
  readonly examples: readonly string[];
}

export const category = 'kuik';

export const readyColumn: Column = {
  name: 'Ready',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
  description: 'Whether the rule is valid and in force',
};

export const reasonColumn: Column = {
  name: 'Reason',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
  description: 'Why it is ready, or why not',
  isWide: true,
};

export const ageColumn: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since it was created' };

/** A column of one of the numbers in `status.counts`. */
export function countColumn(name: string, key: string, description: string): Column {
  return { name, type: 'integer', jsonPath: `.status.counts.${key}`, description };
}

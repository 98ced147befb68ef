/** Every document, and the files they are published as. Only for generating and testing: commands print, and do not check what they print. */
import { z } from 'zod';
import { Check } from './check.js';
import { ImageDescriptionList } from './describe.js';
import { ImageList } from './images.js';
import { ImageStoryList } from './logs.js';
import { Rehearsal } from './rehearsal.js';
import { DifferenceList, MigrationPlan } from './migrate.js';
import { CopyResult, CopyResultList } from './copy.js';
import { ExplanationList } from './explain.js';
import { CopyFateList, RuleChangeList } from './preview.js';
import { ClusterList, ForgottenCluster, PausedList, PinnedImageList, RetryResultList } from './requests.js';
import { Status } from './status.js';
import { Version } from './version.js';

/** By kind. */
export const documents: Readonly<Record<string, z.ZodObject>> = {
  Check,
  ClusterList,
  CopyFateList,
  CopyResult,
  CopyResultList,
  DifferenceList,
  ExplanationList,
  ForgottenCluster,
  ImageDescriptionList,
  ImageList,
  ImageStoryList,
  MigrationPlan,
  PausedList,
  PinnedImageList,
  Rehearsal,
  RetryResultList,
  RuleChangeList,
  Status,
  Version,
};

export const schemaFolder = 'docs/reference/cli/v1';
export const fieldsPath = `${schemaFolder}/fields.txt`;

/** Path to content. */
export function schemaFiles(): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(documents).map(([kind, schema]) => [`${schemaFolder}/${kind}.schema.json`, `${JSON.stringify(schemaOf(schema), undefined, 2)}\n`]));
}

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
}

/** What the next release may add, readers of this one have to bear. */
function schemaOf(schema: z.ZodObject): object {
  return z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
}

/** A line per field: what readers may rely on. A line that was there once stays. */
export function fieldLines(): readonly string[] {
  return Object.entries(documents).flatMap(([kind, schema]) => linesOf(kind, schemaOf(schema) as Schema, true)).sort();
}

function linesOf(path: string, schema: Schema, isRequired: boolean): string[] {
  const line = `${path} ${schema.type ?? JSON.stringify(schema.const ?? schema.enum ?? 'any')}${isRequired ? ' always' : ''}`;
  const required = new Set(schema.required);
  const values = typeof schema.additionalProperties === 'object' ? linesOf(`${path}.*`, schema.additionalProperties, false) : [];
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => linesOf(`${path}.${name}`, property, required.has(name)));
  return [line, ...below, ...values, ...(schema.items === undefined ? [] : linesOf(`${path}[]`, schema.items, true))];
}

import { discoveryRules } from './discovery.js';
import { managementRules } from './management.js';
import { pullRules } from './pull.js';
import { blobRules } from './push-blobs.js';
import { manifestRules } from './push-manifests.js';
import type { Rule } from './rule.js';

/** The whole table, by the specification's four categories. */
export const categories: Readonly<Record<string, readonly Rule[]>> = {
  Pull: pullRules,
  'Push: blobs': blobRules,
  'Push: manifests': manifestRules,
  'Content discovery': discoveryRules,
  'Content management': managementRules,
};

export const rules: readonly Rule[] = Object.values(categories).flat();

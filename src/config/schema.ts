/** The configuration file as it is written: `/etc/kube-image-keeper/config.yaml`. */
import { z } from 'zod';
import { usualV1ProxyPort } from '../domain/v1-proxy.js';
import { metrics } from './metrics.js';
import { monitoring } from './monitoring.js';
import { registries } from './registries.js';
import { routing } from './routing.js';
import { temporal } from './temporal.js';
import { duration, flag, pattern, selector, text, whole } from './value-types.js';

const minutes = 60_000;
const hours = 60 * minutes;

const platform = z.strictObject({
  os: text('Operating system. Empty: any.').optional(),
  architecture: z.string().min(1, { error: 'must not be empty' }).meta({ description: 'Processor architecture, such as amd64.' }),
  variant: text('Variant of the architecture. Empty: any.').optional(),
});

const mirroring = z
  .strictObject({
    platforms: z
      .array(platform)
      .min(1, { error: 'must not be empty; without a platform nothing would be copied' })
      .meta({ description: 'Platforms that are copied where a mirror does not say.' })
      .default([{ architecture: 'amd64' }]),
    nodePlatforms: flag('Whether the platforms of the nodes of the cluster are wanted, too, where a mirror does not say; nodes are watched then.').default(false),
    verifyInterval: duration('How often each copy is looked at.', { isAbove: true }).prefault('24h'),
  })
  .prefault({});

const retention = z
  .strictObject({
    default: duration('How long an unused copy is kept where clean-up is on and no rule says how long.').prefault('720h'),
    tombstone: duration('How long a copy is routed around before it is deleted; at least 1m.', { least: minutes }).prefault('10m'),
    claimTTL: duration('How long the claim of a cluster that fell silent counts; at least 48h, since claims are renewed daily.', { least: 48 * hours }).prefault('72h'),
    finalizerDeadline: duration('How long a deleted rule may be held back.').prefault('5m'),
    maxDeletionsPerHour: whole('Most deletions per registry and hour.').default(60),
    dailyBudgetPercent: whole('Most deletions per rule and day, in percent of its copies; never less than ten copies.', 0, 100).default(5),
    workloads: flag('Whether images of Deployments, StatefulSets, DaemonSets, CronJobs and Jobs without Pods are in use, too, once a Pod has used them; needs list and watch on these kinds.').default(false),
  })
  .prefault({});

const clusterIdForm = /^[a-z0-9.-]{1,63}$/;

export const ConfigFile = z.strictObject({
  skipLabels: z.array(selector).meta({ description: 'Selectors on labels of Pods that are left alone.' }).default([]),
  skipAnnotations: z.array(selector).meta({ description: 'Selectors on annotations of Pods that are left alone.' }).default([]),
  skipNamespaces: z.array(pattern).meta({ description: 'RE2 patterns for whole names of namespaces that are left alone.' }).default([]),
  clusterId: z
    .string()
    .regex(clusterIdForm, { error: 'must be 1 to 63 characters of a-z, 0-9, . and -' })
    .meta({ description: 'Name of this cluster among those that share Temporal. Default: the UID of the namespace kube-system.' })
    .optional(),
  routing,
  mirroring,
  retention,
  monitoring,
  registries,
  temporal,
  migration: z.strictObject({ v1ProxyPort: whole('Port in image names that kuik v1 wrote, which are read as what they stand for; 0 is off.', 0, 65_535).default(usualV1ProxyPort) }).prefault({}),
  metrics,
});
export type ConfigFile = z.output<typeof ConfigFile>;

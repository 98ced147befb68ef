import { z } from 'zod';
import { duration, flag, text, whole } from './value-types.js';

const fallbackCredentialSecret = z
  .strictObject({ name: text('Name of the Secret.'), namespace: text('Namespace of the Secret. Default: the namespace kuik is installed in.').default('') })
  .meta({ description: 'Secret for images no Pod in scope has a readable pull Secret for.' });

const descriptions = {
  method: 'How manifests are asked for.',
  interval: 'Time in which maxPerInterval images of the registry are checked, evenly spread.',
  maxPerInterval: 'How many images of the registry are checked per interval.',
  timeout: 'How long one check may take; 0 is 30s.',
  resolveDigest: 'Whether the digest a tag names is asked for, too.',
};

const ofDefault = z
  .strictObject({
    method: z.enum(['HEAD', 'GET']).meta({ description: descriptions.method }).default('HEAD'),
    interval: duration(descriptions.interval, { isAbove: true }).prefault('3h'),
    maxPerInterval: whole(descriptions.maxPerInterval, 1).default(25),
    timeout: duration(descriptions.timeout).prefault(0),
    resolveDigest: flag(descriptions.resolveDigest).optional(),
    fallbackCredentialSecret: fallbackCredentialSecret.optional(),
  })
  .prefault({});

/** An unset or zero field inherits from `default`. */
const ofHost = z.strictObject({
  method: z.enum(['HEAD', 'GET', '']).meta({ description: descriptions.method }).optional(),
  interval: duration(descriptions.interval).optional(),
  maxPerInterval: whole(descriptions.maxPerInterval).optional(),
  timeout: duration(descriptions.timeout).optional(),
  resolveDigest: flag(descriptions.resolveDigest).optional(),
  fallbackCredentialSecret: fallbackCredentialSecret.optional(),
});

export const monitoring = z
  .strictObject({
    registries: z
      .strictObject({
        default: ofDefault,
        items: z.record(z.string(), ofHost).meta({ description: 'Settings of one registry, by host[:port]; a field that is unset or zero inherits from default. Built in: docker.io with interval 1h and maxPerInterval 6.' }).default({}),
      })
      .prefault({}),
  })
  .prefault({});

/** Present in every configuration: Docker Hub limits anonymous pulls per hour. */
export const builtInRegistries = { 'docker.io': { interval: '1h', maxPerInterval: 6 } };

type Written = z.output<typeof monitoring>['registries'];

/** How the images of one registry are checked. Times in milliseconds. */
export interface MonitorSettings {
  readonly method: 'HEAD' | 'GET';
  readonly intervalMs: number;
  readonly maxPerInterval: number;
  readonly timeoutMs: number;
  readonly resolveDigest: boolean;
  readonly fallbackCredentialSecret?: { readonly namespace: string; readonly name: string };
}

export interface Monitoring {
  readonly default: MonitorSettings;
  /** by `host[:port]`, already completed from `default` */
  readonly items: Readonly<Record<string, MonitorSettings>>;
}

const usualTimeoutMs = 30_000;

export function readMonitoring(written: Written, installNamespace: string): Monitoring {
  const complete = (item: Written['items'][string]): MonitorSettings => {
    const secret = item.fallbackCredentialSecret ?? written.default.fallbackCredentialSecret;
    return {
      method: item.method || written.default.method,
      intervalMs: item.interval || written.default.interval,
      maxPerInterval: item.maxPerInterval || written.default.maxPerInterval,
      timeoutMs: item.timeout || written.default.timeout || usualTimeoutMs,
      resolveDigest: item.resolveDigest ?? written.default.resolveDigest ?? false,
      ...(secret && { fallbackCredentialSecret: { name: secret.name, namespace: secret.namespace || installNamespace } }),
    };
  };
  return { default: complete({}), items: Object.fromEntries(Object.entries(written.items).map(([host, item]) => [host, complete(item)])) };
}

/** Settings for a registry: its own, else the default. */
export function monitorSettingsOf(monitoring: Monitoring, host: string): MonitorSettings {
  return Object.hasOwn(monitoring.items, host) ? (monitoring.items[host] ?? monitoring.default) : monitoring.default;
}

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import type { Config } from '../../src/config/config.js';
import { loadConfig, type LoadedConfig } from '../../src/config/load-config.js';
import { monitorSettingsOf } from '../../src/config/monitoring.js';
import { keyRows } from '../../src/config/reference.js';
import { registrySettingsOf } from '../../src/config/registries.js';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

const files: Readonly<Record<string, string>> = { '/ca.pem': 'CA', '/cert.pem': 'CERT', '/key.pem': 'KEY', '/token': 'secret\n' };
const load = (text: string | undefined): LoadedConfig => loadConfig(text, { readFile: (path) => files[path], installNamespace: 'kuik-system' });

function loaded(text?: string): Config {
  const { config, problems } = load(text);
  if (config === undefined) throw new Error(problems?.join('\n'));
  return config;
}

const problemsOf = (text: string): readonly string[] => load(text).problems ?? [];

describe('without a file everything has its default', () => {
  const defaults: Config = {
    skip: { labels: [], annotations: [], namespaces: [] },
    routing: {
      activeCheck: {
        timeoutMs: second,
        deadlineMs: 2 * second,
        positiveTtlMs: 30 * second,
        negativeTtlMs: 3 * second,
        resolveDigest: false,
        staleMirrorCleanup: { maxConcurrent: 10, timeoutMs: 5 * second },
      },
      rewriteOnNever: false,
      honorPrioritiesOnAlways: false,
      pinDigests: false,
      pullSecrets: { renewEveryMs: 5 * minute, expiryMs: 24 * hour },
    },
    mirroring: { platforms: [{ architecture: 'amd64' }], nodePlatforms: false, verifyIntervalMs: 24 * hour },
    retention: { defaultMs: 720 * hour, tombstoneMs: 10 * minute, claimTtlMs: 72 * hour, finalizerDeadlineMs: 5 * minute, maxDeletionsPerHour: 60, dailyBudgetPercent: 5, workloads: false },
    monitoring: {
      default: { method: 'HEAD', intervalMs: 3 * hour, maxPerInterval: 25, timeoutMs: 30 * second, resolveDigest: false },
      items: { 'docker.io': { method: 'HEAD', intervalMs: hour, maxPerInterval: 6, timeoutMs: 30 * second, resolveDigest: false } },
    },
    registries: {
      default: { plainHTTP: false, insecureSkipVerify: false, proxies: false, metadataConcurrency: 8, blobConcurrency: 4, allowHosts: [], quotaReserve: 20, minBytesPerSecond: 1024, stallTimeoutMs: 60_000, uploadMode: 'auto', chunkBytes: 16 * 1024 * 1024, deleteShared: 'block' },
      items: {},
      network: { allow: [], deny: [] },
    },
    temporal: { address: 'localhost:7233', namespace: 'kuik', shared: false, servesWorkflows: true },
    migration: { v1ProxyPort: 7439 },
    metrics: { imageLastMonitorAgeBuckets: expect.any(Array) as never },
  };

  test.each([
    ['no file', undefined],
    ['an empty file', ''],
    ['only comments', '# nothing\n'],
    ['keys without values', 'routing:\nmonitoring:\n  registries:\n    items:\n'],
    ['empty objects', 'routing: {}\nretention: {}\nmonitoring: {registries: {}}\n'],
  ])('%s', (_sentence, text) => {
    expect(load(text)).toEqual({ config: defaults, warnings: [], absent: [] });
  });

  test('the histogram has the buckets of v2', () => {
    const buckets = loaded().metrics.imageLastMonitorAgeBuckets as number[];

    expect(buckets).toHaveLength(12);
    expect(buckets[0]).toBe(1);
    expect(buckets[1]).toBeCloseTo(1.94);
  });
});

describe('keys merge over the defaults', () => {
  test('one key changes nothing beside it', () => {
    const { activeCheck } = loaded('routing: {activeCheck: {positiveTTL: 1m}}').routing;

    expect(activeCheck).toMatchObject({ positiveTtlMs: minute, negativeTtlMs: 3 * second, timeoutMs: second });
  });

  test('lists replace', () => {
    expect(loaded('mirroring: {platforms: [{os: linux, architecture: arm64, variant: v8}]}').mirroring.platforms).toEqual([{ os: 'linux', architecture: 'arm64', variant: 'v8' }]);
  });

  test('maps merge by key: Docker Hub stays beside others, and keeps what is not overridden', () => {
    const beside = loaded('monitoring: {registries: {items: {quay.io: {maxPerInterval: 100}}}}').monitoring;
    const over = loaded('monitoring: {registries: {items: {docker.io: {maxPerInterval: 50}}}}').monitoring;

    expect(beside.items['docker.io']).toMatchObject({ intervalMs: hour, maxPerInterval: 6 });
    expect(beside.items['quay.io']).toMatchObject({ intervalMs: 3 * hour, maxPerInterval: 100 });
    expect(over.items['docker.io']).toMatchObject({ intervalMs: hour, maxPerInterval: 50 });
  });

  test.each([
    ['routing: {activeCheck: {timeout: 1s}}', 2 * second],
    ['routing: {activeCheck: {timeout: 3s}}', 3500],
    ['routing: {activeCheck: {timeout: 3s, deadline: 3s}}', 3 * second],
  ])('%s: the deadline is %d ms', (text, deadlineMs) => {
    expect(loaded(text).routing.activeCheck.deadlineMs).toBe(deadlineMs);
  });
});

describe('values', () => {
  test.each([
    ['1h30m', 90 * minute],
    ['0', 0],
    [0, 0],
    ['250ms', 250],
  ])('the duration %p is %d ms', (written, ms) => {
    expect(loaded(stringify({ routing: { pullSecrets: { expiry: written } } })).routing.pullSecrets.expiryMs).toBe(ms);
  });

  test('selectors and patterns are ready to use', () => {
    const { skip } = loaded("skipLabels: ['app in (a,b)']\nskipAnnotations: [quiet]\nskipNamespaces: ['kube-.+']");

    expect(skip.labels[0]?.({ app: 'b' })).toBe(true);
    expect(skip.annotations[0]?.({ quiet: '' })).toBe(true);
    expect(skip.namespaces.map((matches) => [matches('kube-system'), matches('not-kube-system')])).toEqual([[true, false]]);
  });

  test('a registry that is not listed is checked as the default says; unset and zero fields inherit', () => {
    const { monitoring } = loaded(
      'monitoring: {registries: {default: {method: GET, timeout: 5s, resolveDigest: true, fallbackCredentialSecret: {name: f, namespace: n}}, items: {quay.io: {interval: 0, maxPerInterval: 0, timeout: 0, method: "", resolveDigest: false, fallbackCredentialSecret: {name: q}}}}}',
    );

    expect(monitorSettingsOf(monitoring, 'ghcr.io')).toEqual({ method: 'GET', intervalMs: 3 * hour, maxPerInterval: 25, timeoutMs: 5 * second, resolveDigest: true, fallbackCredentialSecret: { name: 'f', namespace: 'n' } });
    expect(monitorSettingsOf(monitoring, 'quay.io')).toEqual({ method: 'GET', intervalMs: 3 * hour, maxPerInterval: 25, timeoutMs: 5 * second, resolveDigest: false, fallbackCredentialSecret: { name: 'q', namespace: 'kuik-system' } });
    expect(monitorSettingsOf(monitoring, 'constructor')).toEqual(monitoring.default);
  });

  test('the exact host of a registry wins over its domain, and the longest domain over shorter ones', () => {
    const { registries } = loaded('registries: {items: {"*.example.com": {blobConcurrency: 2}, "*.eu.example.com": {blobConcurrency: 3}, "a.example.com": {plainHTTP: true}}}');

    const blobConcurrency = (host: string): number => registrySettingsOf(registries, host).blobConcurrency;
    expect([blobConcurrency('b.example.com'), blobConcurrency('b.eu.example.com'), blobConcurrency('a.example.com'), blobConcurrency('example.com')]).toEqual([2, 3, 4, 4]);
    expect(registrySettingsOf(registries, 'a.example.com').plainHTTP).toBe(true);
  });

  test('a registry that stands in the file is known as configured, others are not', () => {
    const { registries } = loaded('registries: {items: {"*.example.com": {}}}');

    expect(registrySettingsOf(registries, 'a.example.com').isConfigured).toBe(true);
    expect(registrySettingsOf(registries, 'example.org').isConfigured).toBeUndefined();
  });

  test('networks are read, addresses included', () => {
    const network = { deny: ['10.0.0.0/8', 'fc00::/7'], allow: ['10.1.2.3'] };
    expect(loaded(`registries: {network: ${JSON.stringify(network)}}`).registries.network).toEqual(network);
  });

  test.each(['10.0.0.0/33', 'fc00::/129', '10.0.0/8', 'example.com', '10.0.0.0/', '""'])('the network %s stops the start', (text) => {
    expect(problemsOf(`registries: {network: {deny: [${text}]}}`)).toEqual([expect.stringMatching(/registries\.network\.deny.*is no network/)]);
  });

  test('files of registries are read', () => {
    const { registries } = loaded('registries: {items: {r.example.com: {caFile: /ca.pem, certFile: /cert.pem, keyFile: /key.pem, deleteShared: isolate, headers: {x-team: a}}}}');

    expect(registries.items['r.example.com']).toMatchObject({ ca: 'CA', cert: 'CERT', key: 'KEY', deleteShared: 'isolate', headers: { 'x-team': 'a' } });
  });

  test.each([
    ['nothing of TLS', '', { address: 'localhost:7233', namespace: 'kuik', shared: false }],
    ['an authority', 'temporal: {tls: {caFile: /ca.pem}}', { tls: { ca: 'CA' } }],
    ['a client certificate', 'temporal: {tls: {certFile: /cert.pem, keyFile: /key.pem, serverName: t}}', { tls: { cert: 'CERT', key: 'KEY', serverName: 't' } }],
    ['no workflows, where another cluster runs them', 'temporal: {shared: true, servesWorkflows: false}', { shared: true, servesWorkflows: false }],
    ['an API key, which turns TLS on', 'temporal: {apiKeyFile: /token}', { apiKey: 'secret', tls: {} }],
  ])('Temporal with %s', (_sentence, text, expected) => {
    expect(loaded(text).temporal).toMatchObject(expected);
  });

  test.each([
    ['{bucketType: exponential, start: 2, factor: 3, count: 3}', [2, 6, 18]],
    ['{bucketType: "", start: 2, factor: 3, count: 3}', [2, 6, 18]],
    ['{bucketType: exponentialRange, min: 1, max: 100, count: 3}', [1, 10, 100]],
    ['{bucketType: exponentialRange, min: 5, max: 100, count: 1}', [5]],
    ['{bucketType: custom, custom: [1, 2.5]}', [1, 2.5]],
    ['{bucketType: disabled, start: -1}', 'disabled'],
  ])('buckets %s', (legacy, buckets) => {
    expect(loaded(`metrics: {imageLastMonitorAgeMinutes: {legacy: ${legacy}}}`).metrics.imageLastMonitorAgeBuckets).toEqual(buckets);
  });

  test('the settings of a native histogram are accepted without effect', () => {
    expect(load('metrics: {imageLastMonitorAgeMinutes: {bucketFactor: 1.5, zeroThreshold: 2, maxBucketNumber: 7}}')).toMatchObject({ warnings: [] });
  });
});

describe('unknown keys warn', () => {
  test('wherever they stand, and everything else counts', () => {
    const { config, warnings } = load('colour: red\nrouting: {activeCheck: {timeout: 2s, retries: 3}}\nregistries: {items: {r.example.com: {uploadStyle: auto, plainHTTP: true}}, network: {deny: [], colour: red}}\nmirroring: {platforms: [{architecture: amd64, osVersion: x}]}');

    expect(warnings?.map((warning) => /unknown key (\S+)/.exec(warning)?.[1]).sort()).toEqual(['colour', 'mirroring.platforms[0].osVersion', 'registries.items.r.example.com.uploadStyle', 'registries.network.colour', 'routing.activeCheck.retries']);
    expect(config).toMatchObject({ routing: { activeCheck: { timeoutMs: 2 * second } }, registries: { items: { 'r.example.com': { plainHTTP: true } } } });
  });
});

const legacy = (text: string): string => `metrics: {imageLastMonitorAgeMinutes: {legacy: ${text}}}`;

describe('the start stops, naming the key, when', () => {
  test.each([
    ['a label selector does not compile', "skipLabels: ['app=a b']", 'skipLabels[0]: is no selector'],
    ['a label selector is blank', "skipLabels: ['ok', ' ']", 'skipLabels[1]: is blank'],
    ['an annotation selector does not compile', "skipAnnotations: ['-x']", 'skipAnnotations[0]: is no selector'],
    ['an annotation selector is blank', "skipAnnotations: ['']", 'skipAnnotations[0]: is blank'],
    ['a pattern does not compile', "skipNamespaces: ['[']", 'skipNamespaces[0]: is no pattern'],
    ['a pattern is blank', "skipNamespaces: [' ']", 'skipNamespaces[0]: is no pattern: it is blank'],
    ['platforms is empty', 'mirroring: {platforms: []}', 'mirroring.platforms: must not be empty'],
    ['a platform lacks its architecture', 'mirroring: {platforms: [{os: linux}]}', 'mirroring.platforms[0].architecture: is missing'],
    ['a platform has an empty architecture', "mirroring: {platforms: [{architecture: ''}]}", 'mirroring.platforms[0].architecture: must not be empty'],
    ['buckets start at 0', legacy('{start: 0}'), 'legacy.start: must be above 0'],
    ['buckets do not grow', legacy('{factor: 1}'), 'legacy.factor: must be above 1'],
    ['there is no bucket', legacy('{count: 0}'), 'legacy.count: must be at least 1'],
    ['a range starts at 0', legacy('{bucketType: exponentialRange, min: 0}'), 'legacy.min: must be above 0'],
    ['a range ends where it starts', legacy('{bucketType: exponentialRange, min: 5, max: 5}'), 'legacy.max: must be above min'],
    ['a range has no bucket', legacy('{bucketType: exponentialRange, count: 0}'), 'legacy.count: must be at least 1'],
    ['custom buckets are none', legacy('{bucketType: custom, custom: []}'), 'legacy.custom: must not be empty'],
    ['custom buckets do not ascend', legacy('{bucketType: custom, custom: [1, 1]}'), 'legacy.custom: must be strictly ascending'],
    ['the kind of buckets is unknown', legacy('{bucketType: linear}'), 'legacy.bucketType: must be one of'],
    ['the default method is none', 'monitoring: {registries: {default: {method: POST}}}', 'monitoring.registries.default.method: must be one of "HEAD", "GET"'],
    ['the method of a registry is none', 'monitoring: {registries: {items: {quay.io: {method: head}}}}', 'monitoring.registries.items.quay.io.method: must be one of'],
    ['the default interval is not positive', 'monitoring: {registries: {default: {interval: 0}}}', 'monitoring.registries.default.interval: must be positive'],
    ['an interval is negative', 'monitoring: {registries: {items: {quay.io: {interval: -1h}}}}', 'monitoring.registries.items.quay.io.interval: must not be negative'],
    ['nothing is checked per interval', 'monitoring: {registries: {default: {maxPerInterval: 0}}}', 'monitoring.registries.default.maxPerInterval: must be at least 1'],
    ['less than nothing is checked per interval', 'monitoring: {registries: {items: {quay.io: {maxPerInterval: -1}}}}', 'monitoring.registries.items.quay.io.maxPerInterval: must be at least 0'],
    ['a probe may take no time', 'routing: {activeCheck: {timeout: 0}}', 'routing.activeCheck.timeout: must be positive'],
    ['all probes may take no time', 'routing: {activeCheck: {deadline: 0s}}', 'routing.activeCheck.deadline: must be positive'],
    ['all probes may take longer than the API server waits', 'routing: {activeCheck: {deadline: 9001ms}}', 'routing.activeCheck.deadline: must be at most 9s'],
    ['a probe leaves no time for a deadline', 'routing: {activeCheck: {timeout: 9s}}', 'routing.activeCheck.timeout: leaves no room'],
    ['nobody is asked at once', 'routing: {activeCheck: {staleMirrorCleanup: {maxConcurrent: 0}}}', 'routing.activeCheck.staleMirrorCleanup.maxConcurrent: must be at least 1'],
    ['the tombstone is too short', 'retention: {tombstone: 59s}', 'retention.tombstone: must be at least 1m'],
    ['claims end before they are renewed twice', 'retention: {claimTTL: 47h}', 'retention.claimTTL: must be at least 48h'],
    ['the authority of a registry is missing', 'registries: {items: {r.example.com: {caFile: /none.pem}}}', 'registries.items.r.example.com.caFile: the file /none.pem is missing'],
    ['the authority of Temporal is missing', 'temporal: {tls: {caFile: /none.pem}}', 'temporal.tls.caFile: the file /none.pem is missing'],
    ['nobody would run the workflows', 'temporal: {servesWorkflows: false}', 'temporal.servesWorkflows: must be true where no other cluster uses the namespace, since nobody would run the workflows; set temporal.shared where one does (found false)'],
    ['the API key of Temporal is missing', 'temporal: {apiKeyFile: /none}', 'temporal.apiKeyFile: the file /none is missing'],
    ['the cluster has an impossible name', 'clusterId: Prod!', 'clusterId: must be 1 to 63 characters'],
    ['a port is none', 'migration: {v1ProxyPort: 70000}', 'migration.v1ProxyPort: must be at most 65535'],
    ['a duration is a bare number', 'retention: {default: 720}', 'retention.default: is no duration; write one such as 30s, 10m or 168h (found 720)'],
    ['a duration has days', 'retention: {default: 30d}', 'retention.default: is no duration; write one such as 30s, 10m or 168h (found "30d")'],
    ['a switch is a text', 'routing: {pinDigests: "yes"}', 'routing.pinDigests: must be true or false (found "yes")'],
    ['a list is none', 'skipLabels: app=a', 'skipLabels: must be a list (found "app=a")'],
    ['an object is none', 'routing: fast', 'routing: must be a map of keys (found "fast")'],
    ['the file is a list', '- a', 'the configuration: must be a map of keys'],
    ['the file is no YAML', 'a: [', 'the configuration is not YAML'],
    ['a text that begins with * is not quoted', 'skipNamespaces: [*kube]', 'the configuration is not YAML: Unresolved alias'],
    ['a key is there twice', 'clusterId: a\nclusterId: b', 'the configuration is not YAML: Map keys must be unique'],
  ])('%s', (_sentence, text, problem) => {
    const problems = problemsOf(text);

    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  test('all problems are reported at once', () => {
    const problems = problemsOf(`
      skipLabels: ['app=a b']
      routing: {activeCheck: {timeout: 10s, positiveTTL: soon}}
      retention: {tombstone: 1s}
      monitoring: {registries: {items: {quay.io: {method: PUT}}}}
      registries: {items: {r.example.com: {caFile: /none.pem}}}
      temporal: {apiKeyFile: /none}
      metrics: {imageLastMonitorAgeMinutes: {legacy: {start: 0, factor: 0}}}
    `);

    expect(problems.map((problem) => problem.slice(0, problem.indexOf(':'))).sort()).toEqual([
      'metrics.imageLastMonitorAgeMinutes.legacy.factor',
      'metrics.imageLastMonitorAgeMinutes.legacy.start',
      'monitoring.registries.items.quay.io.method',
      'registries.items.r.example.com.caFile',
      'retention.tombstone',
      'routing.activeCheck.positiveTTL',
      'skipLabels[0]',
      'temporal.apiKeyFile',
    ]);
  });

  test('a key named as what every object inherits is an unknown key', () => {
    expect(load('routing:\n  toString:\n').problems).toBeUndefined();
  });

  test('whatever the file holds, loading never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.jsonValue().map((value) => stringify(value)), fc.dictionary(fc.constantFrom('routing', 'monitoring', 'registries', 'skipLabels', 'temporal', 'metrics'), fc.jsonValue()).map((value) => stringify(value))), (text) => {
        const { config, problems } = load(text);

        expect((config === undefined) !== (problems === undefined)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

test('every key explains itself on the reference page', () => {
  expect(keyRows().filter(({ description, type }) => description === '' || type === '').map(({ key }) => key)).toEqual([]);
});

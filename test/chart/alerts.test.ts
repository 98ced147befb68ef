/** Alerts, their pages, their tests and the metrics they ask for belong together, one to one. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { commands } from '../../src/commands/all.js';
import { sdkMetrics } from '../../src/telemetry/metrics-page.js';
import { createMetrics, type MetricSeen } from '../../src/telemetry/metrics.js';
import { projectRoot } from '../../tools/programs.js';
import { dashboardJson, dashboards, queriesOf } from '../support/dashboards.js';
import { alertCases } from './alerts.cases.js';
import { alerts } from './alerts.js';
import { askedBy } from './expressions.js';

const root = projectRoot();
const names = [...new Set(alerts.map(({ alert }) => alert))];
const page = (alert: string): string => readFileSync(join(root, 'docs', 'runbooks', `${alert}.md`), 'utf8');

describe.each(names)('the alert %s', (alert) => {
  const rules = alerts.filter((each) => each.alert === alert);

  test('says how bad it is and what it means, and names its page', () => {
    for (const { labels, annotations } of rules) {
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(annotations.summary).toMatch(/\.$/);
      expect(annotations.description).toMatch(/\.$/);
      expect(annotations.runbook_url).toBe(`https://github.com/enix/kube-image-keeper/blob/main/docs/runbooks/${alert}.md`);
    }
  });

  test('has a page for whoever is woken by it', () => {
    const headings = [...page(alert).matchAll(/^#+ .*$/gm)].map(([heading]) => heading);

    expect(headings).toEqual([`# ${alert}`, '## Meaning', '## Impact', '## First command', '## Fix']);
  });

  test('has a case in which each of its rules fires, and one in which it is quiet', () => {
    const cases = alertCases.filter((each) => each.alert === alert);

    expect(rules.filter(({ labels }) => !cases.some(({ fires }) => fires?.some(({ severity }) => severity === labels.severity)))).toEqual([]);
    expect(cases.filter(({ fires }) => fires === undefined)).not.toEqual([]);
  });
});

test('every page is about an alert, and listed', () => {
  const pages = readdirSync(join(root, 'docs', 'runbooks')).filter((file) => file !== 'README.md');

  expect(pages.sort()).toEqual(names.map((alert) => `${alert}.md`).sort());
  for (const alert of names) expect(readFileSync(join(root, 'docs', 'runbooks', 'README.md'), 'utf8')).toContain(`[${alert}](${alert}.md)`);
});

test('commands of kuik that a page names are there', () => {
  const inCode = (text: string): string => [...text.matchAll(/```sh\n([\s\S]*?)```|`([^`\n]+)`/g)].map(([, block, inline]) => block ?? inline).join('\n');
  const named = names.flatMap((alert) => [...inCode(page(alert)).matchAll(/^ *kuik ([a-z]+)/gm)].map(([, command = '']) => command));

  expect(named.length).toBeGreaterThan(names.length);
  expect(named.filter((command) => !Object.hasOwn(commands, command))).toEqual([]);
});

test('links and files that a page names are there', () => {
  const broken = names.flatMap((alert) => [...page(alert).matchAll(/\]\((\.[^)#]*)/g)].map(([, target = '']) => join(root, 'docs', 'runbooks', target)).filter((file) => !existsSync(file)));

  expect(broken).toEqual([]);
});

describe('what is asked of metrics', () => {
  const metrics = createMetrics({ version: '', revision: '', built: '' }).describe();
  const seen = (name: string): MetricSeen | undefined => metrics.find((metric) => metric.name === name || (metric.type === 'histogram' && [`${metric.name}_bucket`, `${metric.name}_sum`, `${metric.name}_count`].includes(name)));
  const expressions = [...alerts.map(({ alert, expr }) => [alert, expr] as const), ...dashboards.flatMap((dashboard) => queriesOf(dashboard).map((query) => [dashboard.title, query] as const))];
  /** what Prometheus adds to every sample, and our label that gives way to it */
  const ofTargets = ['namespace', 'pod', 'job', 'cluster', 'exported_namespace', 'le'];
  /** of the SDK, as seen in test/e2e/metrics.test.ts */
  const ofSdk = ['poller_type', 'task_queue', 'workflow_type', 'activity_type', 'failure_reason', 'operation', 'status_code'];

  test('is by a name there is', () => {
    const unknown = expressions.flatMap(([title, text]) => askedBy(text).metrics.filter((name) => seen(name) === undefined && !Object.hasOwn(sdkMetrics, name)).map((name) => `${title}: ${name}`));

    expect(unknown).toEqual([]);
  });

  test('is by labels that those metrics have', () => {
    const unknown = expressions.flatMap(([title, text]) => {
      const asked = askedBy(text);
      const has = [...ofTargets, ...asked.metrics.flatMap((name) => seen(name)?.labels ?? ofSdk)];
      return asked.labels.filter((label) => !has.includes(label)).map((label) => `${title}: ${label} in ${text}`);
    });

    expect(unknown).toEqual([]);
  });
});

describe.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))('the dashboard %s', (_title, dashboard) => {
  interface Placed {
    readonly id: number;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  }
  const { panels, templating } = JSON.parse(dashboardJson(dashboard)) as { panels: readonly Placed[]; templating: { list: readonly { name: string }[] } };

  test('asks for the data source and the cluster', () => {
    expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'cluster', 'namespace']);
    for (const query of queriesOf(dashboard)) expect(query).toContain('cluster=~"$cluster"');
  });

  test('has panels that lie beside each other, each with a number of its own', () => {
    const overlaps = panels.flatMap((one, at) => panels.slice(at + 1).filter((other) => isOver(one.gridPos, other.gridPos)).map((other) => `${one.title} and ${other.title}`));

    expect(overlaps).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  function isOver(one: Placed['gridPos'], other: Placed['gridPos']): boolean {
    return one.x < other.x + other.w && other.x < one.x + one.w && one.y < other.y + other.h && other.y < one.y + one.h;
  }
});

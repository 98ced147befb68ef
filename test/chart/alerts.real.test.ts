/** The alerts as Prometheus understands them: promtool checks the rules and plays the cases. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { dashboards, queriesOf } from '../support/dashboards.js';
import { scratchFolder, runTool, toolOutput } from '../../tools/servers.js';
import { alertCases, type AlertCase } from './alerts.cases.js';
import { alerts, alertsFile, type Alert } from './alerts.js';
import { namespace, render, theOne } from './helm.js';

const folder = scratchFolder('alerts');
beforeAll(() => toolOutput('promtool', ['--version']), 600_000);

describe('promtool', () => {
  test('finds nothing wrong with the rules', async () => {
    expect(await runTool('promtool', ['check', 'rules', '--lint=all', '--lint-fatal', alertsFile])).toMatchObject({ code: 0 });
  });

  test('reads every question of a dashboard', async () => {
    // what Grafana fills in
    const rules = dashboards.flatMap((dashboard) => queriesOf(dashboard)).map((query, at) => ({ record: `query:${at}`, expr: query.replaceAll('$__rate_interval', '5m').replaceAll(/\$(?:cluster|namespace)/g, '.*') }));
    const file = join(folder, 'queries.yaml');
    writeFileSync(file, stringify({ groups: [{ name: 'dashboards', rules }] }));

    expect(rules.length).toBeGreaterThan(50);
    expect(await runTool('promtool', ['check', 'rules', file])).toMatchObject({ code: 0 });
  });

  test.each<[string, { readonly panel: string; readonly seen: Readonly<Record<string, string>>; readonly shows: readonly { readonly labels: string; readonly value: number }[] }]>([
    ['a rule that is out of force counts once, however many processes have seen it', {
      panel: 'Rules out of force',
      seen: { [invalid('a', 'ImageSetMirror')]: '1x5', [invalid('b', 'ImageSetMirror')]: '1x5', [invalid('c', 'ImageSetMirror')]: '1x5', [invalid('a', 'ClusterImageSetMirror')]: '2x5', [invalid('b', 'ClusterImageSetMirror')]: '2x5' },
      shows: [{ labels: '{}', value: 3 }],
    }],
    ['images that cannot be pulled count under every name', {
      panel: 'In use and not available',
      seen: { [tracked('original="true"')]: '3x5', [tracked('original="false"')]: '2x5' },
      shows: [{ labels: '{name="all",registry="docker.io",status="NotFound"}', value: 5 }],
    }],
    ['workloads of several clusters add up, and count once while another manager begins to lead', {
      panel: 'Workloads that hang on one registry',
      seen: { [atRisk('north', 'a')]: '3x5', [atRisk('north', 'b')]: '3x5', [atRisk('south', 'c')]: '2x5' },
      shows: [{ labels: '{registry="docker.io"}', value: 5 }],
    }],
    ['copies whose clock runs are told cluster by cluster: clusters may share them', {
      panel: 'Copies whose clock runs',
      seen: { [expiring('north', 'a')]: '3x5', [expiring('north', 'b')]: '3x5', [expiring('south', 'c')]: '2x5' },
      shows: [{ labels: '{cluster="north",registry="mirror.example.com"}', value: 3 }, { labels: '{cluster="south",registry="mirror.example.com"}', value: 2 }],
    }],
  ])('shows that %s', async (_sentence, { panel, seen, shows }) => {
    const { queries } = dashboards.flatMap(({ rows }) => rows.flatMap(({ panels }) => panels)).find(({ title }) => title === panel) ?? { queries: [] };
    const asked = queries.map(({ expr }) => ({ expr: expr.replaceAll(/\$(?:cluster|namespace)/g, '.*'), eval_time: '5m', exp_samples: shows }));
    const file = join(folder, 'panel.yaml');
    writeFileSync(file, stringify({ rule_files: [alertsFile], tests: [{ interval: '1m', input_series: seriesOf(seen), promql_expr_test: asked }] }));

    const { code, stdout, stderr } = await runTool('promtool', ['test', 'rules', file]);

    expect({ asked: asked.length, code, said: code === 0 ? '' : `${stdout}${stderr}` }).toEqual({ asked: 1, code: 0, said: '' });
  });

  test.each(alertCases.map((each) => [`${each.alert} ${each.sentence}`, each] as const))('%s', async (_sentence, each) => {
    const file = join(folder, 'case.yaml');
    writeFileSync(file, stringify(played(each)));

    const { code, stdout, stderr } = await runTool('promtool', ['test', 'rules', file]);

    expect({ code, said: `${stdout}${stderr}`.includes('FAILED') ? `${stdout}${stderr}` : '' }).toEqual({ code: 0, said: '' });
  });
});

test('the chart writes the namespace it is installed in, and changes nothing else', async () => {
  const rule = theOne(await render({ values: { prometheusRule: { create: true, extraLabels: { release: 'prometheus' } } } }), 'PrometheusRule/kube-image-keeper');

  expect(rule.metadata).toMatchObject({ namespace, labels: { release: 'prometheus' } });
  expect(rule['spec']).toEqual(parse(readFileSync(alertsFile, 'utf8')));
});

function invalid(pod: string, kind: string): string {
  return `kube_image_keeper_rules_invalid{namespace="kuik-system",pod="${pod}",kind="${kind}"}`;
}

function atRisk(cluster: string, pod: string): string {
  return `kube_image_keeper_workloads_at_risk{cluster="${cluster}",namespace="kuik-system",pod="${pod}",registry="docker.io"}`;
}

function expiring(cluster: string, pod: string): string {
  return `kube_image_keeper_retention_expiring{cluster="${cluster}",namespace="kuik-system",pod="${pod}",registry="mirror.example.com"}`;
}

function tracked(original: string): string {
  return `kube_image_keeper_monitoring_images{namespace="kuik-system",pod="a",name="all",registry="docker.io",status="NotFound",used="true",${original}}`;
}

function seriesOf(seen: AlertCase['seen']): readonly object[] {
  return Object.entries(seen).map(([series, values]) => ({ series, values }));
}

/** What promtool is given: it compares what is said word by word. */
function played({ alert, seen, at, fires = [] }: AlertCase): object {
  const ruleOf = (severity: string): Alert | undefined => alerts.find((each) => each.alert === alert && each.labels.severity === severity);
  const expected = fires.map(({ severity, labels = {}, description }) => {
    const { summary, runbook_url } = ruleOf(severity)?.annotations ?? {};
    return { exp_labels: { severity, ...(labels === 'absent' ? {} : { namespace, ...labels }) }, exp_annotations: { summary, runbook_url, description } };
  });
  return {
    rule_files: [alertsFile],
    evaluation_interval: '1m',
    tests: [{ interval: '1m', input_series: seriesOf(seen), alert_rule_test: [{ eval_time: at, alertname: alert, exp_alerts: expected }] }],
  };
}

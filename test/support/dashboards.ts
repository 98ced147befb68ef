/** The dashboards of the chart. They are data here, and JSON as Grafana reads it in the chart's `files/dashboards`. */

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
}

interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly type: 'timeseries' | 'stat';
  readonly unit?: string;
  readonly queries: readonly Query[];
  /** from which value on it is shown in orange, and in red */
  readonly limits?: { readonly warn: number; readonly bad: number };
}

interface Query {
  /** names of labels in two braces are filled in by Grafana */
  readonly legend: string;
  /** PromQL */
  readonly expr: string;
}

const scope = 'cluster=~"$cluster",namespace=~"$namespace"';
const ours = (name: string, labels = ''): string => `kube_image_keeper_${name}{${scope}${labels === '' ? '' : `,${labels}`}}`;
const sdk = (name: string, labels = ''): string => `temporal_${name}{${scope}${labels === '' ? '' : `,${labels}`}}`;
const rate = (series: string): string => `rate(${series}[$__rate_interval])`;
const sumBy = (labels: string, inner: string): string => `sum by (${labels}) (${inner})`;
const maxBy = (labels: string, inner: string): string => `max by (${labels}) (${inner})`;
/** of the cluster, which only the manager that leads tells: while another begins to, two do */
const oncePerCluster = (labels: string, series: string): string => maxBy(`cluster, ${labels}`, series);
const sumOfClusters = (labels: string, series: string): string => sumBy(labels, maxBy(`cluster, namespace, ${labels}`, series));
const quantile = (q: number, name: string, by: string): string => `histogram_quantile(${q}, ${sumBy(['le', by].filter((part) => part !== '').join(', '), rate(ours(`${name}_bucket`)))})`;

const graph = (title: string, unit: string, queries: readonly Query[], description?: string): Panel => ({ type: 'timeseries', title, unit, queries, ...(description === undefined ? {} : { description }) });
const number = (title: string, expr: string, limits?: Panel['limits'], unit = 'short', description?: string): Panel => ({ type: 'stat', title, unit, queries: [{ legend: title, expr }], ...(limits === undefined ? {} : { limits }), ...(description === undefined ? {} : { description }) });

const failingOpen = number('Admitted undecided, a second', `sum(${rate(ours('admission_reviews_total', 'outcome="failed_open"'))}) or vector(0)`, { warn: 0.001, bad: 0.01 }, 'reqps', 'Pods that start although something went wrong in kuik. The number to watch.');
const unavailable = number('Images in use that are nowhere', `sum(${ours('images_unavailable')}) or vector(0)`, { warn: 1, bad: 1 });
const failed = number('Images whose copy failed', `sum(${ours('mirroring_images', 'state="failed"')}) or vector(0)`, { warn: 1, bad: 10 });
const temporal = number('Temporal answers', `min(${ours('temporal_connected')})`, undefined, 'bool_yes_no');

export const dashboards: readonly Dashboard[] = [
  {
    uid: 'kuik-overview', title: 'kube-image-keeper / Overview', description: 'Whether images are safe, and whether kuik itself is well.',
    rows: [
      {
        title: 'Now',
        panels: [
          failingOpen, unavailable, failed, temporal,
          number('Rules out of force', `sum(${maxBy('cluster, namespace, kind', ours('rules_invalid'))}) or vector(0)`, { warn: 1, bad: 10 }, 'short', 'Every process has seen them all.'),
          number('Images mirrored', `sum(${ours('mirroring_images', 'state="mirrored"')})`),
          number('Registries left alone', `sum(${maxBy('registry', ours('registry_circuit_open'))}) or vector(0)`, { warn: 1, bad: 3 }),
          number('First certificate ends in', `min(${ours('certificate_not_after_seconds')}) - time()`, undefined, 's'),
        ],
      },
      {
        title: 'Over time',
        panels: [
          graph('Reviews by outcome', 'reqps', [{ legend: '{{outcome}}', expr: sumBy('outcome', rate(ours('admission_reviews_total'))) }]),
          graph('Workloads that hang on one registry', 'short', [{ legend: '{{registry}}', expr: sumOfClusters('registry', ours('workloads_at_risk')) }], 'They could not start again if this registry went away.'),
          graph('Copies by outcome', 'ops', [{ legend: '{{outcome}}', expr: sumBy('outcome', rate(ours('mirroring_copies_total'))) }]),
          graph('Requests to registries that fail', 'reqps', [{ legend: '{{registry}} {{result}}', expr: sumBy('registry, result', rate(ours('registry_requests_total', 'result!~"ok|missing|unauthorized"'))) }]),
        ],
      },
    ],
  },
  {
    uid: 'kuik-route', title: 'kube-image-keeper / Route', description: 'Where Pods are sent, and how long that takes.',
    rows: [
      {
        title: 'Reviews',
        panels: [
          graph('Reviews by outcome', 'reqps', [{ legend: '{{outcome}}', expr: sumBy('outcome', rate(ours('admission_reviews_total'))) }]),
          graph('Time of a review', 's', [0.5, 0.9, 0.99].map((q) => ({ legend: `p${q * 100}`, expr: quantile(q, 'admission_duration_seconds', '') })), 'The API server waits three seconds.'),
          failingOpen,
          unavailable,
        ],
      },
      {
        title: 'Decisions',
        panels: [
          graph('Decisions by reason', 'ops', [{ legend: '{{verdict}} {{reason}}', expr: sumBy('verdict, reason', rate(ours('routing_decisions_total'))) }]),
          graph('Images that were sent elsewhere', 'percentunit', [{ legend: 'rewritten', expr: `sum(${rate(ours('routing_decisions_total', 'verdict="rewrite"'))}) / sum(${rate(ours('routing_decisions_total'))})` }]),
          graph('Copies of pull Secrets', 'ops', [{ legend: '{{action}}', expr: sumBy('action', rate(ours('routing_pull_secrets_total'))) }]),
          graph('Workloads that hang on one registry', 'short', [{ legend: '{{registry}}', expr: sumOfClusters('registry', ours('workloads_at_risk')) }]),
        ],
      },
      {
        title: 'Probes',
        panels: [
          graph('Probes by result', 'reqps', [{ legend: '{{registry}} {{result}}', expr: sumBy('registry, result', rate(ours('registry_requests_total', 'purpose="probe"'))) }]),
          graph('Time to the first byte of a probe, p99', 's', [{ legend: '{{registry}}', expr: `histogram_quantile(0.99, ${sumBy('le, registry', rate(ours('registry_request_duration_seconds_bucket', 'purpose="probe"')))})` }]),
          graph('Facts at hand', 'percentunit', [{ legend: 'of availability', expr: `sum(${rate(ours('registry_cache_total', 'cache="availability",result="hit"'))}) / sum(${rate(ours('registry_cache_total', 'cache="availability"'))})` }]),
        ],
      },
    ],
  },
  {
    uid: 'kuik-mirror', title: 'kube-image-keeper / Mirror and retain', description: 'Copies: made, waiting, failed, on their way out.',
    rows: [
      {
        title: 'Images',
        panels: [
          graph('Images by state', 'short', ['mirrored', 'pending', 'failed', 'unused'].map((state) => ({ legend: state, expr: `sum(${ours('mirroring_images', `state="${state}"`)})` }))),
          graph('Failed, by rule', 'short', [{ legend: '{{cluster}} {{kind}} {{exported_namespace}} {{name}}', expr: `${oncePerCluster('kind, exported_namespace, name', ours('mirroring_images', 'state="failed"'))} > 0` }]),
          graph('Oldest copy that waits', 's', [{ legend: '{{cluster}} {{registry}}', expr: oncePerCluster('registry', ours('mirroring_oldest_waiting_seconds')) }]),
        ],
      },
      {
        title: 'Copies',
        panels: [
          graph('Copies by outcome', 'ops', [{ legend: '{{registry}} {{outcome}}', expr: sumBy('registry, outcome', rate(ours('mirroring_copies_total'))) }]),
          graph('Failures by code', 'ops', [{ legend: '{{registry}} {{code}}', expr: sumBy('registry, code', rate(ours('mirroring_copies_total', 'outcome="failed"'))) }]),
          graph('Time of a copy', 's', [0.5, 0.9, 0.99].map((q) => ({ legend: `p${q * 100}`, expr: quantile(q, 'mirroring_copy_duration_seconds', '') }))),
          graph('Bytes read and written', 'Bps', [{ legend: '{{registry}} {{direction}}', expr: sumBy('registry, direction', rate(ours('mirroring_bytes_total'))) }]),
          graph('Blobs by how they came', 'ops', [{ legend: '{{how}}', expr: sumBy('how', rate(ours('registry_blobs_total'))) }]),
          graph('Content that is not what its digest says', 'ops', [{ legend: '{{registry}} {{side}}', expr: sumBy('registry, side', rate(ours('registry_corrupt_total'))) }]),
        ],
      },
      {
        title: 'Registries',
        panels: [
          graph('Requests by result', 'reqps', [{ legend: '{{registry}} {{result}}', expr: sumBy('registry, result', rate(ours('registry_requests_total', 'purpose!="probe"'))) }]),
          graph('Requests still granted', 'short', [{ legend: '{{registry}}', expr: `min by (registry) (${ours('registry_ratelimit_remaining')})` }]),
          graph('Requests that wait for their turn', 'short', [{ legend: '{{registry}} {{priority}}', expr: sumBy('registry, priority', ours('registry_queue_length')) }]),
          graph('Requests at once', 'short', [{ legend: '{{cluster}} {{registry}} {{lane}}', expr: oncePerCluster('registry, lane', ours('registry_concurrency_limit')) }], 'Of the process that may ask most.'),
          graph('Left alone', 'bool_yes_no', [{ legend: '{{cluster}} {{registry}}', expr: oncePerCluster('registry', ours('registry_circuit_open')) }], 'It did not answer lately.'),
          graph('Asks not to be asked for', 's', [{ legend: '{{cluster}} {{registry}}', expr: oncePerCluster('registry', ours('registry_throttled_seconds')) }], 'There were too many requests.'),
          graph('Requests repeated', 'ops', [{ legend: '{{registry}} {{code}}', expr: sumBy('registry, code', rate(ours('registry_retries_total'))) }]),
        ],
      },
      {
        title: 'Retain',
        panels: [
          graph('Copies whose clock runs', 'short', [{ legend: '{{cluster}} {{registry}}', expr: oncePerCluster('registry', ours('retention_expiring')) }], 'Clusters may share copies.'),
          graph('Deletions by outcome', 'ops', [{ legend: '{{registry}} {{outcome}}', expr: sumBy('registry, outcome', rate(ours('retention_deletions_total'))) }]),
          graph('Deletions that did not take place', 'short', [{ legend: '{{cluster}} {{registry}} {{reason}}', expr: oncePerCluster('registry, reason', ours('retention_blocked_deletions')) }]),
          graph('Tags that nobody keeps', 'short', [{ legend: '{{cluster}} {{registry}}', expr: oncePerCluster('registry', ours('retention_orphans')) }], 'As the last daily sweep counted them.'),
        ],
      },
    ],
  },
  {
    uid: 'kuik-monitor', title: 'kube-image-keeper / Monitor', description: 'Whether the images that are watched can be pulled.',
    rows: [
      {
        title: 'Images',
        panels: [
          graph('Images by status', 'short', [{ legend: '{{status}}', expr: sumBy('status', ours('monitoring_images')) }]),
          graph('In use and not available', 'short', [{ legend: '{{name}} {{registry}} {{status}}', expr: `${sumBy('name, registry, status', ours('monitoring_images', 'used="true",status!~"Available|Scheduled"'))} > 0` }]),
          graph('By registry', 'short', [{ legend: '{{registry}} {{status}}', expr: sumBy('registry, status', ours('monitoring_images')) }]),
        ],
      },
      {
        title: 'Checks',
        panels: [
          graph('Age of the last check, p90', 'm', [{ legend: '{{name}} {{registry}}', expr: `histogram_quantile(0.9, ${sumBy('le, name, registry', ours('monitoring_image_last_monitor_age_minutes_bucket'))})` }], 'The histogram is of this moment, so it is no rate.'),
          graph('Checks by result', 'reqps', [{ legend: '{{registry}} {{result}}', expr: sumBy('registry, result', rate(ours('registry_requests_total', 'purpose="check"'))) }]),
          graph('Time to the first byte of a check, p99', 's', [{ legend: '{{registry}}', expr: `histogram_quantile(0.99, ${sumBy('le, registry', rate(ours('registry_request_duration_seconds_bucket', 'purpose="check"')))})` }]),
        ],
      },
    ],
  },
  {
    uid: 'kuik-inside', title: 'kube-image-keeper / Inside', description: 'The processes, their certificates, and Temporal.',
    rows: [
      {
        title: 'Processes',
        panels: [
          graph('Which version runs', 'short', [{ legend: '{{version}}', expr: `count by (version) (${ours('manager_build_info')})` }]),
          graph('Who leads', 'short', [{ legend: '{{pod}}', expr: ours('manager_is_leader') }]),
          graph('Views that are complete', 'bool_yes_no', [{ legend: '{{pod}} {{view}}', expr: `min by (pod, view) (${ours('view_synced')})` }]),
          graph('Event loop, p99', 's', [{ legend: '{{pod}}', expr: `nodejs_eventloop_lag_p99_seconds{${scope}}` }], 'How long something waits for its turn. Seconds mean that reviews are late.'),
          graph('Memory', 'bytes', [{ legend: '{{pod}}', expr: `process_resident_memory_bytes{${scope}}` }]),
          graph('Processor', 'short', [{ legend: '{{pod}}', expr: rate(`process_cpu_seconds_total{${scope}}`) }]),
          graph('Certificates end in', 's', [{ legend: '{{certificate}}', expr: `min by (certificate) (${ours('certificate_not_after_seconds')}) - time()` }]),
          graph('Tokens of registries', 'ops', [{ legend: '{{registry}} {{result}}', expr: sumBy('registry, result', rate(ours('registry_token_requests_total'))) }]),
          graph('Answers that point where they may not', 'ops', [{ legend: '{{registry}} {{rule}}', expr: sumBy('registry, rule', rate(ours('registry_guard_refusals_total'))) }]),
        ],
      },
      {
        title: 'Temporal',
        panels: [
          temporal,
          graph('Pollers', 'short', [{ legend: '{{poller_type}} {{task_queue}}', expr: sumBy('poller_type, task_queue', sdk('num_pollers')) }]),
          graph('Steps of workflows that failed', 'ops', [{ legend: '{{failure_reason}}', expr: sumBy('failure_reason', rate(sdk('workflow_task_execution_failed_total'))) }], 'Anything here is a fault of kuik.'),
          graph('Workflows that failed', 'ops', [{ legend: '{{workflow_type}}', expr: sumBy('workflow_type', rate(sdk('workflow_failed_total'))) }]),
          graph('Activities that failed', 'ops', [{ legend: '{{activity_type}}', expr: sumBy('activity_type', rate(sdk('activity_execution_failed_total'))) }]),
          graph('Calls that failed', 'reqps', [{ legend: '{{operation}} {{status_code}}', expr: sumBy('operation, status_code', rate(sdk('request_failure_total'))) }]),
        ],
      },
    ],
  },
];

/** Every PromQL expression of a dashboard. */
export function queriesOf({ rows }: Dashboard): readonly string[] {
  return rows.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)));
}

/** File name in the chart. */
export function dashboardFile({ uid }: Dashboard): string {
  return `${uid}.json`;
}

const datasource = { type: 'prometheus', uid: '${datasource}' };
const perRow = 24;

/** A dashboard as Grafana imports it. */
export function dashboardJson({ uid, title, description, rows }: Dashboard): string {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({ id: panels.length + 1, type: 'row', title: row.title, collapsed: false, gridPos: { x: 0, y, w: perRow, h: 1 }, panels: [] });
    y += 1;
    let [x, lineHeight] = [0, 0];
    for (const panel of row.panels) {
      const { w, h } = panel.type === 'stat' ? { w: 6, h: 4 } : { w: 12, h: 8 };
      if (x + w > perRow) [x, y, lineHeight] = [0, y + lineHeight, 0];
      panels.push(panelJson(panel, panels.length + 1, { x, y, w, h }));
      [x, lineHeight] = [x + w, Math.max(lineHeight, h)];
    }
    y += lineHeight;
  }
  const dashboard = {
    uid, title, description, tags: ['kube-image-keeper'], editable: true, schemaVersion: 39, version: 1, refresh: '1m', time: { from: 'now-6h', to: 'now' }, timezone: '', graphTooltip: 1,
    links: [{ type: 'dashboards', title: 'kube-image-keeper', tags: ['kube-image-keeper'], asDropdown: true, includeVars: true, keepTime: true }],
    templating: { list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' }, variableJson('cluster', 'Cluster', 'label_values(kube_image_keeper_manager_build_info, cluster)'), variableJson('namespace', 'Namespace', 'label_values(kube_image_keeper_manager_build_info{cluster=~"$cluster"}, namespace)')] },
    annotations: { list: [] },
    panels,
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

/** Where Prometheus knows no clusters there is no such label, and "all" fits that, too. */
function variableJson(name: string, label: string, query: string): object {
  return { name, label, type: 'query', datasource, query: { query, refId: name }, refresh: 2, includeAll: true, allValue: '.*', multi: true, current: { text: 'All', value: '$__all' }, sort: 1 };
}

function panelJson({ type, title, description, unit, queries, limits }: Panel, id: number, gridPos: object): object {
  const steps = limits === undefined ? [{ color: 'green', value: null }] : [{ color: 'green', value: null }, { color: 'orange', value: limits.warn }, { color: 'red', value: limits.bad }];
  const custom = type === 'timeseries' ? { lineWidth: 1, fillOpacity: 10, showPoints: 'never' } : {};
  const options = type === 'timeseries' ? { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } } : { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: limits === undefined ? 'none' : 'value' };
  return {
    id, type, title, ...(description === undefined ? {} : { description }), gridPos, datasource,
    fieldConfig: { defaults: { unit, thresholds: { mode: 'absolute', steps }, color: { mode: type === 'timeseries' ? 'palette-classic' : 'thresholds' }, custom }, overrides: [] },
    options,
    targets: queries.map(({ legend, expr }, index) => ({ refId: String.fromCharCode(65 + index), expr, legendFormat: legend, datasource })),
  };
}

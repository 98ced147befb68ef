import { describe, expect, test } from '@jest/globals';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { labelTexts } from '../../src/telemetry/metrics-page.js';
import type { PictureSeen } from '../../src/telemetry/picture-metrics.js';
import { RulesView } from '../../src/views/rules.js';
import { aMirrorRule, brokenFilter } from '../support/builders.js';

/** What a leader would tell. */
const picture: PictureSeen = {
  mirrors: [{ kind: 'ImageSetMirror', namespace: 'shop', name: 'main', counts: { mirrored: 5, pending: 1, failed: 2, unused: 3 } }],
  oldestWaiting: [{ registry: 'reg.example.com', seconds: 90 }],
  expiring: [{ registry: 'reg.example.com', count: 4 }],
  blocked: [{ registry: 'reg.example.com', reason: 'shared-digest', count: 1 }],
  unavailable: [{ registry: 'docker.io', count: 1 }],
  atRisk: [{ registry: 'docker.io', count: 7 }],
};

const build = { version: '3.0.0', revision: 'abc', built: '2026-11-21' };

describe('metrics', () => {
  test('say what is running', async () => {
    const text = await createMetrics(build).text();

    expect(text).toMatch(/^kube_image_keeper_manager_build_info\{version="3\.0\.0",revision="abc",built="2026-11-21",goversion="v\d+.*",goos="linux",goarch="(?:amd64|arm64)"\} 1$/m);
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  });

  /** Facts about v2.3: what its users have in dashboards and alerts. */
  test.each([
    ['manager_build_info', 'gauge', ['version', 'revision', 'built', 'goversion', 'goos', 'goarch']],
    ['manager_is_leader', 'gauge', []],
    ['manager_up', 'gauge', []],
    ['monitoring_images', 'gauge', ['name', 'registry', 'status', 'used', 'original']],
    ['monitoring_image_last_monitor_age_minutes', 'histogram', ['name', 'registry']],
  ] as const)('have %s of v2, with its type and labels', (name, type, labels) => {
    const found = createMetrics(build).describe().find((metric) => metric.name === `kube_image_keeper_${name}`);

    expect({ type: found?.type, labels: [...(found?.labels ?? [])].sort() }).toEqual({ type, labels: [...labels].sort() });
  });

  test('of registries beyond the fiftieth are told together: queues added up, the lowest remainder, the longest wait, any open circuit', async () => {
    const metrics = createMetrics(build);
    const aPace = (position: number) => ({ registry: `r${position}.example.com`, circuit: position === 51 ? 'open' : 'closed', limits: {}, waiting: { copy: 2 }, throttledMs: position === 52 ? 60_000 : 0, remaining: position }) as const;
    metrics.registry.watchPace(() => Array.from({ length: 53 }, (_, position) => aPace(position)));

    const text = await metrics.text();

    for (const line of ['registry_queue_length{registry="other",priority="copy"} 6', 'registry_ratelimit_remaining{registry="other"} 50', 'registry_circuit_open{registry="other"} 1', 'registry_throttled_seconds{registry="other"} 60', 'registry_throttled_seconds{registry="r1.example.com"} 0', 'registry_circuit_open{registry="r1.example.com"} 0']) {
      expect(text).toContain(`kube_image_keeper_${line}\n`);
    }
    expect(await metrics.text()).toEqual(expect.stringContaining('registry_queue_length{registry="other",priority="copy"} 6\n'));
  });

  test('count every outcome under the names of the contract', async () => {
    const metrics = createMetrics(build);

    metrics.webhook.reviewed('failed_open', 0.2);
    metrics.webhook.decided('rewrite', 'OriginUnavailable');
    metrics.webhook.pullSecret('created');
    metrics.registry.requested({ host: 'docker.io', purpose: 'probe', result: 'throttled', seconds: 0.1 });
    metrics.registry.retried('docker.io', 'unreachable');
    metrics.registry.tokenAsked('docker.io', 'refused');
    metrics.registry.cached('availability', 'hit');
    metrics.registry.blob('docker.io', 'restarted');
    metrics.registry.corrupt('docker.io', 'destination');
    metrics.registry.guarded('docker.io', 'downgrade');
    metrics.registry.watchPace(() => [{ registry: 'docker.io', circuit: 'open', limits: { metadata: 4 }, waiting: { probe: 0, check: 12 }, throttledMs: 90_000, remaining: 76 }]);
    metrics.mirroring.copied('reg.example.com', 'failed', 'denied');
    metrics.mirroring.copied('reg.example.com', 'copied');
    metrics.mirroring.moved('reg.example.com', 'written', 42);
    metrics.mirroring.took('reg.example.com', 12);
    metrics.watchRules(() => ({ ImageSetMirror: 2 }));
    metrics.watchViews(() => ({ rules: true, usage: false }));
    metrics.watchTemporal(() => false);
    metrics.watchPicture(() => picture);
    metrics.watchOrphans(() => ({ 'reg.example.com': 3 }));
    metrics.retention.deleted('reg.example.com', 'deleted');
    metrics.inside.certificateLasts('leaf', { notBefore: 1_700_000_000_000, notAfter: 1_800_000_000_000 });
    metrics.manager.isLeader(true);
    metrics.manager.isUp(true);

    const lines = (await metrics.text()).split('\n');
    for (const line of [
      'admission_reviews_total{outcome="failed_open"} 1',
      'admission_reviews_total{outcome="rewritten"} 0',
      'admission_duration_seconds_count 1',
      'routing_decisions_total{verdict="rewrite",reason="OriginUnavailable"} 1',
      'routing_decisions_total{verdict="keep",reason="NoPlaceAvailable"} 0',
      'routing_pull_secrets_total{action="created"} 1',
      'registry_requests_total{registry="docker.io",purpose="probe",result="throttled"} 1',
      'registry_request_duration_seconds_count{registry="docker.io",purpose="probe"} 1',
      'registry_retries_total{registry="docker.io",code="unreachable"} 1',
      'registry_token_requests_total{registry="docker.io",result="refused"} 1',
      'registry_cache_total{cache="availability",result="hit"} 1',
      'registry_blobs_total{registry="docker.io",how="restarted"} 1',
      'registry_corrupt_total{registry="docker.io",side="destination"} 1',
      'registry_guard_refusals_total{registry="docker.io",rule="downgrade"} 1',
      'registry_ratelimit_remaining{registry="docker.io"} 76',
      'registry_throttled_seconds{registry="docker.io"} 90',
      'registry_circuit_open{registry="docker.io"} 1',
      'registry_concurrency_limit{registry="docker.io",lane="metadata"} 4',
      'registry_queue_length{registry="docker.io",priority="check"} 12',
      'mirroring_copies_total{registry="reg.example.com",outcome="failed",code="denied"} 1',
      'mirroring_copies_total{registry="reg.example.com",outcome="copied",code=""} 1',
      'mirroring_bytes_total{registry="reg.example.com",direction="written"} 42',
      'mirroring_copy_duration_seconds_count{registry="reg.example.com"} 1',
      'rules_invalid{kind="ImageSetMirror"} 2',
      'view_synced{view="rules"} 1',
      'view_synced{view="usage"} 0',
      'mirroring_images{kind="ImageSetMirror",namespace="shop",name="main",state="failed"} 2',
      'mirroring_oldest_waiting_seconds{registry="reg.example.com"} 90',
      'retention_expiring{registry="reg.example.com"} 4',
      'retention_blocked_deletions{registry="reg.example.com",reason="shared-digest"} 1',
      'retention_orphans{registry="reg.example.com"} 3',
      'retention_deletions_total{registry="reg.example.com",outcome="deleted"} 1',
      'images_unavailable{registry="docker.io"} 1',
      'workloads_at_risk{registry="docker.io"} 7',
      'temporal_connected 0',
      'certificate_not_before_seconds{certificate="leaf"} 1700000000',
      'certificate_not_after_seconds{certificate="leaf"} 1800000000',
      'manager_is_leader 1',
      'manager_up 1',
    ]) {
      expect(lines).toContain(`kube_image_keeper_${line}`);
    }
  });

  test('name fifty registries and call all later ones other', async () => {
    const metrics = createMetrics(build);

    for (let i = 0; i < 60; i++) metrics.mirroring.moved(`r${i}.example.com`, 'read', 1);
    metrics.mirroring.moved('r7.example.com', 'read', 1);

    const text = await metrics.text();
    expect(text).toContain('mirroring_bytes_total{registry="other",direction="read"} 10');
    expect(text).toContain('mirroring_bytes_total{registry="r7.example.com",direction="read"} 2');
    expect(text).not.toContain('r50.example.com');
  });

  test('of the cluster are told by the leader alone: who leads no longer falls silent', async () => {
    const metrics = createMetrics(build);
    let leads = true;
    metrics.watchPicture(() => (leads ? picture : undefined));

    expect(await metrics.text()).toContain('kube_image_keeper_workloads_at_risk{registry="docker.io"} 7');
    leads = false;
    expect(await metrics.text()).not.toContain('kube_image_keeper_workloads_at_risk{');
  });

  test('of rules that are out of force are 0 once the last rule of a kind is deleted', async () => {
    const metrics = createMetrics(build);
    const rules = new RulesView();
    metrics.watchRules(() => rules.countInvalid());

    rules.apply('ImageSetMirror', { type: 'put', key: 'shop/main', object: aMirrorRule({ problems: [brokenFilter] }) });
    expect(await metrics.text()).toContain('kube_image_keeper_rules_invalid{kind="ImageSetMirror"} 1\n');

    rules.apply('ImageSetMirror', { type: 'gone', key: 'shop/main' });
    expect(await metrics.text()).toContain('kube_image_keeper_rules_invalid{kind="ImageSetMirror"} 0\n');
  });

  test('of what a process does not have are not told, not even as 0', async () => {
    const text = await createMetrics(build).text();

    for (const name of ['manager_up', 'manager_is_leader', 'temporal_connected']) expect(text).not.toMatch(new RegExp(`^kube_image_keeper_${name} `, 'm'));
  });

  test('look at the cluster once per scrape, however many are made of it', async () => {
    const metrics = createMetrics(build);
    let looks = 0;
    metrics.watchPicture(() => {
      looks += 1;
      return picture;
    });

    await metrics.text();
    await metrics.text();

    expect(looks).toBe(2);
  });

  test('are as many after a thousand rules have come and gone as before', async () => {
    const metrics = createMetrics(build);
    let name = '';
    metrics.watchPicture(() => ({ ...picture, mirrors: [{ kind: 'ImageSetMirror', namespace: 'shop', name, counts: { mirrored: 1, pending: 0, failed: 0, unused: 0 } }] }));
    const lines = async (): Promise<number> => (await metrics.text()).split('\n').filter((line) => line.startsWith('kube_image_keeper_')).length;
    const before = await lines();

    for (let i = 0; i < 1000; i++) {
      name = `rule-${i}`;
      await lines();
    }

    expect(await lines()).toBe(before);
  });

  test('have labels that the page explains, and none that names an image', () => {
    const labels = createMetrics(build).describe().filter(({ name }) => name.startsWith('kube_image_keeper_')).flatMap((metric) => metric.labels);

    expect(labels.filter((label) => labelTexts[label] === undefined)).toEqual([]);
    expect(labels.filter((label) => /image|repository|tag|digest/.test(label))).toEqual([]);
  });
});

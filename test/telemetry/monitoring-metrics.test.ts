import { describe, expect, test } from '@jest/globals';
import { createMetrics } from '../../src/telemetry/metrics.js';
import type { AgeBuckets, MonitoredSeen } from '../../src/telemetry/monitoring-metrics.js';

const build = { version: '3.0.0', revision: 'abc', built: '2026-11-21' };
const seen = (some: Partial<MonitoredSeen> = {}): MonitoredSeen => ({ name: 'critical', registry: 'quay.io', status: 'Available', used: true, original: true, ageMs: 90_000, ...some });

async function linesOf(images: readonly MonitoredSeen[], buckets?: AgeBuckets): Promise<readonly string[]> {
  const metrics = createMetrics(build, buckets);
  metrics.watchMonitored(() => images);
  await metrics.text(); // a second scrape counts nothing twice
  return (await metrics.text()).split('\n').filter((line) => line.startsWith('kube_image_keeper_monitoring')).map((line) => line.slice('kube_image_keeper_'.length));
}

describe('tracked images', () => {
  test('are counted by rule, registry, state, use and name', async () => {
    const lines = await linesOf([seen(), seen(), seen({ status: 'NotFound' }), seen({ used: false, original: false }), seen({ name: 'other', registry: 'docker.io' })]);

    expect(lines.filter((line) => line.startsWith('monitoring_images'))).toEqual([
      'monitoring_images{name="critical",registry="quay.io",status="Available",used="true",original="true"} 2',
      'monitoring_images{name="critical",registry="quay.io",status="NotFound",used="true",original="true"} 1',
      'monitoring_images{name="critical",registry="quay.io",status="Available",used="false",original="false"} 1',
      'monitoring_images{name="other",registry="docker.io",status="Available",used="true",original="true"} 1',
    ]);
  });

  test('that leave are counted no more', async () => {
    let images = [seen()];
    const metrics = createMetrics(build);
    metrics.watchMonitored(() => images);
    expect(await metrics.text()).toContain('monitoring_images{');
    images = [];

    expect(await metrics.text()).not.toMatch(/monitoring_images{|monitoring_image_last_monitor_age_minutes_count{/);
  });

  test('beyond fifty registries are counted together', async () => {
    const lines = await linesOf(Array.from({ length: 53 }, (_, position) => seen({ registry: `r${position}.example.com` })));

    expect(lines).toContain('monitoring_images{name="critical",registry="other",status="Available",used="true",original="true"} 3');
  });
});

describe('the age of checks', () => {
  const age = 'monitoring_image_last_monitor_age_minutes';
  test('is a histogram of what there is now, without what was never checked', async () => {
    const lines = await linesOf([seen(), seen({ ageMs: 100 * 60_000 }), seen({ status: 'Scheduled', ageMs: undefined })], [1, 5, 60]);

    expect(lines.filter((line) => line.startsWith(age))).toEqual([
      `${age}_bucket{le="1",name="critical",registry="quay.io"} 0`,
      `${age}_bucket{le="5",name="critical",registry="quay.io"} 1`,
      `${age}_bucket{le="60",name="critical",registry="quay.io"} 1`,
      `${age}_bucket{le="+Inf",name="critical",registry="quay.io"} 2`,
      `${age}_sum{name="critical",registry="quay.io"} 101.5`,
      `${age}_count{name="critical",registry="quay.io"} 2`,
    ]);
  });

  test('is not told where the configuration disables it', async () => {
    expect((await linesOf([seen()], 'disabled')).filter((line) => line.startsWith(age))).toEqual([]);
  });

  test('is as long after twenty scrapes as after one: it tells what is, and never what has been', async () => {
    const images = Array.from({ length: 5_000 }, (_, position) => seen({ registry: `r${position % 20}.example.com`, ageMs: position * 1000 }));
    const metrics = createMetrics(build);
    metrics.watchMonitored(() => images);
    const told = async (): Promise<readonly string[]> => (await metrics.text()).split('\n').filter((line) => line.includes('_monitoring_'));
    const first = await told();
    for (let scrape = 0; scrape < 20; scrape++) await metrics.text();

    expect(first.length).toBeGreaterThan(20);
    expect(await told()).toEqual(first);
  });
});

import { describe, expect, jest, test } from '@jest/globals';
import { imageName, knownImageRef } from '../../src/domain/image-ref.js';
import type { TrackedImage } from '../../src/domain/monitor.js';
import { imagesPages } from '../../src/telemetry/images-page.js';

function tracked(name: string, rest: Partial<TrackedImage> = {}): TrackedImage {
  const ref = knownImageRef(name);
  return { image: imageName(ref), ref, by: ['critical'], isChecked: true, original: true, records: [], ...rest };
}

const images = [
  tracked('quay.io/acme/api:v4', { by: ['critical', 'all'], seen: { state: 'NotFound', checkedAt: '2026-11-20T13:00:00+01:00', checkFailure: 'not found on quay.io: acme/api:v4' } }),
  tracked('nginx:1.27', { unusedSince: '2026-11-19T00:00:00.000Z', seen: { state: 'Available', checkedAt: '2026-11-20T11:00:00Z' } }),
  tracked('redis:7'),
];

async function ask(query = '', read: () => readonly TrackedImage[] = () => images): Promise<{ status: number; type: string; body: Record<string, unknown> }> {
  const page = imagesPages(read)['/status/images']!;
  const { status, type, body } = await page(new URLSearchParams(query));
  return { status, type, body: JSON.parse(body) as Record<string, unknown> };
}

const nginx = { image: 'docker.io/library/nginx:1.27', status: 'Available', unusedSince: '2026-11-19T00:00:00.000Z', lastMonitor: '2026-11-20T11:00:00.000Z' };
const redis = { image: 'docker.io/library/redis:7', status: 'Scheduled', unusedSince: null, lastMonitor: null };
const api = { image: 'quay.io/acme/api:v4', status: 'NotFound', unusedSince: null, lastError: 'not found on quay.io: acme/api:v4', lastMonitor: '2026-11-20T12:00:00.000Z' };

describe('/status/images', () => {
  test.each(['', 'groupBy='])('lists each image once per rule, by both (?%s)', async (query) => {
    expect(await ask(query)).toEqual({
      status: 200,
      type: 'application/json',
      body: {
        items: [
          { cisa: 'all', registry: 'quay.io', ...api },
          { cisa: 'critical', registry: 'docker.io', ...nginx },
          { cisa: 'critical', registry: 'docker.io', ...redis },
          { cisa: 'critical', registry: 'quay.io', ...api },
        ],
        total: 4,
      },
    });
  });

  test('groups by rule', async () => {
    const quay = { registry: 'quay.io', ...api };

    expect((await ask('groupBy=cisa')).body).toEqual({ groupBy: 'cisa', groups: { all: [quay], critical: [{ registry: 'docker.io', ...nginx }, { registry: 'docker.io', ...redis }, quay] }, total: 4 });
  });

  test('groups by registry', async () => {
    expect((await ask('groupBy=registry')).body).toEqual({
      groupBy: 'registry',
      groups: { 'quay.io': [{ cisa: 'all', ...api }, { cisa: 'critical', ...api }], 'docker.io': [{ cisa: 'critical', ...nginx }, { cisa: 'critical', ...redis }] },
      total: 4,
    });
  });

  test('copies no group for each of its images', async () => {
    const many = Array.from({ length: 2_000 }, (_, at) => tracked(`app-${String(at).padStart(4, '0')}:1`));
    const walked = jest.spyOn(Array.prototype, Symbol.iterator);

    const { body } = await ask('groupBy=cisa', () => many);
    const lengths = walked.mock.contexts.map((context) => (context as unknown[]).length);
    walked.mockRestore();

    expect(body).toMatchObject({ total: 2_000 });
    expect(lengths).toContain(2_000); // the list itself
    expect(lengths.filter((length) => length > 100).length).toBeLessThan(20);
  });

  test('is empty where nothing is tracked', async () => {
    expect((await ask('', () => [])).body).toEqual({ items: [], total: 0 });
  });

  test('refuses another grouping, and says which there are', async () => {
    expect(await ask('groupBy=name')).toEqual({ status: 400, type: 'application/json', body: { error: 'groupBy is "name"; use cisa or registry, or leave it out' } });
  });

  test('says so when it cannot tell', async () => {
    const read = (): never => {
      throw new Error('secret detail');
    };

    expect(await ask('', read)).toMatchObject({ status: 500, body: { error: expect.not.stringContaining('secret') as unknown } });
  });
});

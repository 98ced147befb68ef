import { describe, expect, test } from '@jest/globals';
import { lookAtUnkept } from '../../src/activities/unkept.js';
import { Failure } from '../../src/domain/failure.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import type { PlaceRecord } from '../../src/domain/record.js';
import type { Subject } from '../../src/temporal/activities.js';
import { digestOf, nginx, place } from '../support/keeper.js';

const held: PlaceRecord = { reference: place as string as ImageName, role: 'mirror', digest: digestOf('a'), mirroredAt: '2026-09-01T12:00:00Z', retiringSince: '2026-09-02T12:00:00Z', workflowId: `task/${place}` };
const [other, third] = ['docker.io/library/nginx:1.28', 'docker.io/library/nginx:1.29'] as [ImageName, ImageName];

class Bench {
  readonly asked: Subject[] = [];
  answer: () => Promise<'missing' | ReturnType<typeof digestOf>> = async () => 'missing';
  readonly records = new Map<ImageName, PlaceRecord>([[nginx, held], [other, held], [third, { reference: held.reference, role: 'mirror' }]]);

  look(): Promise<'there' | 'gone'> {
    return lookAtUnkept(place, {
      records: { at: () => [...this.records].map(([image, at]) => ({ record: { image }, place: at })) },
      cluster: { changePlace: async (image, _at, manager, change) => (this.records.set(image, change(this.records.get(image)!)), manager === 'kuik-mirror' ? 'changed' : 'unchanged') },
      look: async (subject) => (this.asked.push(subject), this.answer()),
    });
  }
}

describe('a copy that records speak of, and nobody keeps', () => {
  test('is taken off every record that speaks of it when the registry has it no more', async () => {
    const bench = new Bench();

    expect(await bench.look()).toBe('gone');

    expect(bench.asked).toEqual([{ v: 1, destination: place, publishAs: place, image: nginx, rules: [] }]);
    for (const image of [nginx, other]) expect(bench.records.get(image)).toMatchObject({ role: 'mirror', mirroredAt: undefined, digest: undefined, retiringSince: undefined, workflowId: undefined });
  });

  test.each<[string, Bench['answer']]>([
    ['stays in its records while the registry has it', async () => digestOf('a')],
    ['stays in its records while the registry has something else there: somebody has to look at that', async () => digestOf('b')],
  ])('%s', async (_sentence, answer) => {
    const bench = new Bench();
    bench.answer = answer;

    expect(await bench.look()).toBe('there');
    expect(bench.records.get(nginx)).toBe(held);
  });

  test('stays in its records while the registry does not tell', async () => {
    const bench = new Bench();
    bench.answer = () => Promise.reject(new Failure({ code: 'unreachable', side: 'destination', message: 'no route' }));

    await expect(bench.look()).rejects.toMatchObject({ code: 'unreachable' });
    expect(bench.records.get(nginx)).toBe(held);
  });

  test('is not asked for once no record speaks of it', async () => {
    const bench = new Bench();
    for (const [image, at] of bench.records) bench.records.set(image, { ...at, mirroredAt: undefined });

    expect([await bench.look(), bench.asked]).toEqual(['gone', []]);
  });
});

import { describe, expect, test } from '@jest/globals';
import type { ClusterEvent } from '../../src/cluster/cluster.js';
import { EventSeries } from '../../src/cluster/event-series.js';

const minute = 60_000;

function anEvent(name = 'web', reason: ClusterEvent['reason'] = 'Denied'): ClusterEvent {
  return { regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name }, type: 'Warning', action: 'Mirror', reason, note: 'no' };
}

describe('events in a row', () => {
  test('are written once, counted for five minutes, and then told as a series', () => {
    const series = new EventSeries();
    const steps = [0, 1, 4].map((at) => {
      const step = series.next(anEvent(), at * minute);
      if (step.step === 'create') series.created(anEvent(), 'web.1');
      return step;
    });

    expect(steps).toEqual([{ step: 'create' }, { step: 'count' }, { step: 'count' }]);
    expect(series.next(anEvent(), 5 * minute)).toEqual({ step: 'update', name: 'web.1', count: 4 });
    expect(series.next(anEvent(), 6 * minute)).toEqual({ step: 'count' });
    expect(series.next(anEvent(), 10 * minute)).toEqual({ step: 'update', name: 'web.1', count: 6 });
  });

  test('about another object, or for another reason, are their own', () => {
    const series = new EventSeries();
    series.next(anEvent(), 0);

    expect(series.next(anEvent('db'), 0)).toEqual({ step: 'create' });
    expect(series.next(anEvent('web', 'Mirrored'), 0)).toEqual({ step: 'create' });
  });

  test('start again when the API server has forgotten the first', () => {
    const series = new EventSeries();
    series.next(anEvent(), 0);
    series.created(anEvent(), 'web.1');

    expect(series.next(anEvent(), 56 * minute)).toEqual({ step: 'create' });
  });

  test('that could not be written are written at the next occasion', () => {
    const series = new EventSeries();
    series.next(anEvent(), 0);
    series.forget(anEvent());

    expect(series.next(anEvent(), 1)).toEqual({ step: 'create' });
  });

  test('of very many objects do not fill the memory: the oldest are forgotten', () => {
    const series = new EventSeries();
    for (let index = 0; index <= 10_000; index += 1) series.next(anEvent(`pod-${index}`), 0);

    expect(series.next(anEvent('pod-10000'), 1)).toEqual({ step: 'count' });
    expect(series.next(anEvent('pod-0'), 1)).toEqual({ step: 'create' });
  });
});

import { describe, expect } from '@jest/globals';
import { isFailure } from '../../src/domain/failure.js';
import { FakeTime } from '../support/fake-time.js';
import { fault } from '../support/fault.js';
import { aCall, anImage, pushImage, single } from '../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt } from '../support/registry-client.js';

closeAfterEach();
const windows = 8;
const askedPerWindow = 12;

describe('a source answers 429', () => {
  fault('F43', 'it gets one request per window, nothing is taken for missing, and work goes on when it grants again', async ({ chance }) => {
    const server = await aRegistryServer();
    const time = new FakeTime();
    const { registry } = aClient({ clock: time.now, sleep: time.sleep });
    await pushImage(aClient().registry, `${server.host}/app:1`, single(anImage('app')));
    server.calm();

    for (let window = 0; window < windows; window++) {
      const hasRetryAfter = chance.next() < 0.7;
      const seconds = hasRetryAfter ? chance.between(6, 4000) : 900;
      // HEAD and GET have quotas of their own: only GET is used up
      server.fault({ on: { route: 'manifest', method: 'GET' }, times: 1000, does: { status: 429, headers: hasRetryAfter ? { 'retry-after': String(seconds) } : {} } });
      const limited = (): number => server.requests.filter(({ status }) => status === 429).length;
      const before = limited();

      for (let asked = 0; asked < askedPerWindow; asked++) {
        const error: unknown = await registry.manifest(refAt(server, 'app:1'), [], aCall({ purpose: chance.next() < 0.5 ? 'copy' : 'check' })).catch((thrown: unknown) => thrown);
        expect(isFailure(error) && error.code).toBe('throttled');
        await time.pass(chance.between(0, 100));
      }
      // a Pod that waits is still told the truth
      expect(await registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'probe' }))).not.toBe('missing');
      expect(limited() - before).toBe(1);

      server.calm();
      await time.pass(Math.min(seconds, 3600) * 1000);
    }

    expect(await registry.manifest(refAt(server, 'app:1'), [], aCall())).toMatchObject({ type: 'image' });
    expect(time.sleeping).toBe(0);
  });

  fault('F43', 'many that wait together do not rush back: one asks, the others follow its answer', async ({ chance }) => {
    const server = await aRegistryServer();
    const time = new FakeTime();
    const { registry } = aClient({ clock: time.now, sleep: time.sleep });
    server.fault({ on: {}, times: 1000, does: { status: 429, headers: { 'retry-after': '60' } } });
    const many = (count: number) => Array.from({ length: count }, (_, at) => registry.head(refAt(server, `app:${at}`), [], aCall({ purpose: 'check' })).catch((error: unknown) => error));
    await many(1)[0];
    await time.pass(60_000);

    const asking = many(chance.between(10, 60));
    let isDone = false;
    void Promise.all(asking).then(() => (isDone = true));
    while (!isDone) await time.pass(50);

    for (const outcome of await Promise.all(asking)) expect(outcome).toMatchObject({ code: 'throttled' });
    expect(server.requests).toHaveLength(2);
  });
});

import { beforeEach, describe, expect, test } from '@jest/globals';
import { ReadableSecrets, withoutHidden } from '../../src/commands/explain/unreadable.js';
import { Failure } from '../../src/domain/failure.js';
import { secretCopyName } from '../../src/domain/secret-copy.js';
import type { Pod } from '../../src/domain/usage.js';
import { decidePod, type RouteDeps } from '../../src/webhook/route.js';
import { aPod } from '../support/builders.js';
import { aWorld, type World } from '../webhook/world.js';

const copy = 'mirror.example.com/m/library/nginx:1';
const rule = `
kind: ClusterImageSetMirror
metadata: {name: main, uid: 0f5b6c2e-9a51-4c0e-8f0a-3f6f2d1c7b90}
spec:
  priority: -1
  filter: {include: [{image: '.*'}]}
  mirrors: [{registry: mirror.example.com, path: /m, credentialSecret: {name: push, namespace: kuik-system}}]
`;

let world: World;
let secrets: ReadableSecrets;
let deps: RouteDeps;
beforeEach(() => {
  world = aWorld({ rules: [rule] });
  world.push('docker.io/library/nginx:1');
  secrets = new ReadableSecrets({
    secret: async (ref) => {
      throw new Failure({ code: 'denied', side: 'cluster', message: `not allowed to get secrets ${ref.namespace}/${ref.name}` });
    },
  });
  world.cluster.secret = (ref) => secrets.secret(ref);
  deps = withoutHidden(world.deps, secrets);
});

async function decide(pod: Pod = aPod({ images: { web: 'nginx:1' } })): Promise<{ reason: string; pullSecret?: string; places: string[] }> {
  const decision = await decidePod(pod, { usages: pod.usages, mayAddSecrets: true, isDryRun: true, deadlineMs: deps.settings.deadlineMs }, deps);
  if ('skipped' in decision) throw new Error('left alone');
  const [{ reason, pullSecret, places } = { reason: 'none', places: [] }] = decision.usages;
  return { reason, ...(pullSecret === undefined ? {} : { pullSecret }), places: places.map(({ candidate, verdict, fact }) => `${candidate.text} ${verdict} ${fact?.state ?? '-'}`) };
}

describe('a place whose Secret the caller may not read', () => {
  test('is what its record says, however long ago, and its Secret is handed out by name', async () => {
    const checkedAt = new Date(world.clock.now() - 3_600_000).toISOString();
    world.record('docker.io/library/nginx:1', { reference: copy, role: 'mirror', rule: 'ClusterImageSetMirror/main', state: 'Available', checkedAt, identity: '0123456789ab' } as never);

    expect(await decide()).toEqual({ reason: 'PlacePreferred', pullSecret: secretCopyName({ namespace: 'kuik-system', name: 'push' }, '0f5b6c2e-9a51-4c0e-8f0a-3f6f2d1c7b90'), places: [`${copy} chosen Available`, 'docker.io/library/nginx:1 unasked -'] });
    expect(secrets.hidden).toContain('kuik-system/push');
  });

  test('is open when it is open for everybody', async () => {
    world.registry.host('mirror.example.com');
    world.push(copy);

    expect((await decide()).reason).toBe('PlacePreferred');
  });

  test('is a matter nobody can tell, when no record knows it and it is closed to others', async () => {
    world.registry.host('mirror.example.com').requires('robot', 'p');
    world.push(copy);

    expect(await decide()).toEqual({ reason: 'PreferredUnavailable', places: [`${copy} unavailable UnavailableSecret`, 'docker.io/library/nginx:1 chosen Available'] });
  });
});

test('a Secret that is not there is still missing', async () => {
  world.cluster.secret = async () => undefined;

  expect((await decide()).places).toEqual([`${copy} skipped -`, 'docker.io/library/nginx:1 chosen -']);
});

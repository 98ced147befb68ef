import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { freePort, scratchFolder } from '../../tools/servers.js';

const kinds = ['ClusterImageSetMirror', 'ImageSetMirror', 'ClusterReplicatedImageSet', 'ReplicatedImageSet', 'ClusterImageSetAvailability'] as const;
type Kind = (typeof kinds)[number];

let stage: Stage;
let nobodyThere: string;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('readiness') });
  nobodyThere = `127.0.0.1:${await freePort()}`;
});
afterAll(() => stage?.close());

/** What a rule of each kind says in good days; `registry` is where it copies to, or what it declares equal. */
function spec(kind: Kind, registry: string, image = 'ghcr\\.io/acme/.+'): object {
  const filter = { include: [{ image }] };
  if (kind === 'ClusterImageSetAvailability') return { filter };
  if (kind.endsWith('Mirror')) return { filter, mirrors: [{ registry, path: '/kept' }] };
  const upstream = (at: string) => ({ registry: at, path: '/acme', imageFilter: { include: ['/acme/.+'] } });
  return { filter: { include: [{ label: image }] }, upstreams: [upstream(registry), upstream(stage.sourceAddress)] };
}

const broken = (kind: Kind): object => spec(kind, stage.mirror.address, kind.includes('Replicated') ? 'a in b' : '[');
const healthy = (kind: Kind): object => spec(kind, stage.mirror.address, kind.includes('Replicated') ? 'app=web' : undefined);
const silent = (kind: Kind): object => spec(kind, nobodyThere, kind.includes('Replicated') ? 'app=web' : undefined);

async function write(kind: Kind, name: string, body: object): Promise<void> {
  const namespace = kind.startsWith('Cluster') ? {} : { namespace: 'default' };
  await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind, metadata: { name, ...namespace }, spec: body }));
}

/** Whether `kubectl wait` says so within a time; what it relies on is read at once. */
async function waits(kind: Kind, name: string, condition: string, seconds: number): Promise<string | undefined> {
  const isSo = await stage.kubectl('wait', `${kind}/${name}`, '-n', 'default', `--for=condition=${condition}`, `--timeout=${seconds}s`).then(
    () => true,
    () => false,
  );
  if (!isSo) return undefined;
  const { metadata, status } = JSON.parse(await stage.kubectl('get', kind, name, '-n', 'default', '-o', 'json')) as {
    metadata: { generation: number };
    status: { conditions: { type: string; status: string; reason: string; observedGeneration: number }[] };
  };
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  return `${ready?.status} ${ready?.reason} ${ready?.observedGeneration === metadata.generation ? 'now' : 'before'}`;
}

const cycles = Array.from({ length: 20 }, (_, index) => [kinds[index % kinds.length] ?? kinds[0], index] as const);

test('kubectl wait is right in 20 of 20 cycles of create, update, break and heal', async () => {
  const cycle = async ([kind, index]: (typeof cycles)[number]): Promise<(string | undefined)[]> => {
    const name = `cycle-${index}`;
    const seen: (string | undefined)[] = [];
    const then = async (body: object, condition: string, seconds = 60): Promise<void> => {
      await write(kind, name, body);
      seen.push(await waits(kind, name, condition, seconds));
    };
    await then(healthy(kind), 'Ready');
    await then({ ...healthy(kind), suspend: true }, 'Ready');
    await then(broken(kind), 'Ready=False');
    seen.push(await waits(kind, name, 'Ready', 1));
    await then(healthy(kind), 'Ready');
    if (kind !== 'ClusterImageSetAvailability') {
      await then(silent(kind), 'Ready=False');
      await then(healthy(kind), 'Ready');
    }
    await stage.kubectl('delete', kind, name, '-n', 'default', '--timeout=60s');
    return seen;
  };

  const seen: (string | undefined)[][] = [];
  const left = [...cycles];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) seen[next[1]] = await cycle(next);
  };
  await Promise.all([worker(), worker(), worker(), worker(), worker()]);

  const usual = ['True InForce now', 'True Suspended now', 'False InvalidFilter now', undefined, 'True InForce now'];
  expect(seen).toEqual(cycles.map(([kind]) => (kind === 'ClusterImageSetAvailability' ? usual : [...usual, 'False Unreachable now', 'True InForce now'])));
}, 300_000);

test('no rule is ready before kuik has looked at it', async () => {
  await stage.kuik.stop();
  for (const kind of kinds) await write(kind, 'unseen', healthy(kind));

  expect(await Promise.all(kinds.map((kind) => waits(kind, 'unseen', 'Ready', 2)))).toEqual(kinds.map(() => undefined));
  await stage.kuik.start();

  expect(await Promise.all(kinds.map((kind) => waits(kind, 'unseen', 'Ready', 60)))).toEqual(kinds.map(() => 'True InForce now'));
}, 120_000);

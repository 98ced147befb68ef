/**
 * Two tenants of one webhook, who may see different images, in generated interleavings: their Pods arrive while each
 * other's probes are under way, facts get old, rights come and go. Each must get what it would get alone: then nothing
 * of the other's credentials went into it, neither a fact, nor a shared probe, nor a refusal that was remembered.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Failure } from '../../../src/domain/failure.js';
import type { Credential, Registry } from '../../../src/registry/registry.js';
import { settled } from '../../webhook/support.js';
import { aPod, aWorld, imagesOf, type World } from '../../webhook/world.js';

const tenants = ['ann', 'bob'] as const;
type Tenant = (typeof tenants)[number];

/** Everything is mirrored, and each mirror lets in whom it likes. */
const rule = `
kind: ClusterImageSetMirror
metadata: {name: main, uid: u1}
spec:
  priority: -1
  filter: {include: [{image: '.*'}]}
  mirrors:
  - {registry: mirror.example.com, path: /m}
  - {registry: shared.example.com, path: /s, credentialSecret: {name: shared, namespace: kuik-system}}
`;

const images = ['private.example.com/of-ann:1', 'private.example.com/of-bob:1', 'private.example.com/of-both:1', 'private.example.com/of-nobody:1', 'private.example.com/of-kuik:1'] as const;

const act = fc.record({
  tenant: fc.constantFrom<Tenant>(...tenants),
  /** milliseconds after the act before; some in the middle of a probe, some beyond a lifetime */
  after: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 800 }), fc.constantFrom(2_999, 3_001, 29_000, 31_000)),
  does: fc.oneof(
    { weight: 8, arbitrary: fc.record({ create: fc.constantFrom(...images), secret: fc.boolean(), isDryRun: fc.boolean() }) },
    // the registry lets the tenant in, or no longer
    { weight: 1, arbitrary: fc.record({ mayEnter: fc.boolean() }) },
  ),
});
/** After so long nothing is remembered of what was played before. */
const longMs = 3_600_000;
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** Each tenant gets what it would get alone, whatever the other does meanwhile. */
export function tenantsKeepApart(): fc.IAsyncPropertyWithHooks<[Act[]]> {
  const world = aTenantWorld();
  return fc.asyncProperty(fc.array(act, { maxLength: 12 }), async (acts) => {
    const together = await play(world, acts);
    for (const tenant of tenants) {
      // the time of the other's acts passes all the same
      const alone = await play(world, acts, tenant);
      assert.deepEqual(together.filter((_, at) => acts[at]?.tenant === tenant), alone.filter((_, at) => acts[at]?.tenant === tenant));
    }
  });
}

/** @returns what became of each Pod, by place in the list of acts; empty for other acts and, if only one plays, for the other's */
async function play({ world, outside }: TenantWorld, acts: readonly Act[], only?: Tenant): Promise<readonly string[]> {
  outside.clear();
  await world.clock.advance(longMs);
  const results = acts.map(() => '');
  const pods: Promise<void>[] = [];
  for (const [at, { tenant, after, does }] of acts.entries()) {
    await world.clock.advance(after);
    if (only !== undefined && only !== tenant) continue;
    if ('mayEnter' in does) outside[does.mayEnter ? 'delete' : 'add'](tenant);
    else pods.push(decided(world, tenant, does).then((result) => void (results[at] = result)));
    await settled(); // it is on its way before time passes
  }
  await world.clock.advance(5_000);
  await Promise.all(pods);
  return results;
}

async function decided(world: World, tenant: Tenant, { create, secret, isDryRun }: Extract<Act['does'], { create: string }>): Promise<string> {
  const { pod, outcome } = await world.create(aPod(create, { namespace: tenant, spec: secret ? { imagePullSecrets: [{ name: 'own' }] } : {} }), { dryRun: isDryRun });
  return [outcome, ...imagesOf(pod), pod.metadata.annotations?.['kuik.enix.io/reason'], ...(pod.spec.imagePullSecrets ?? []).map(({ name }) => name)].join(' ');
}

interface TenantWorld {
  readonly world: World;
  /** tenants the registries do not let in now */
  readonly outside: Set<string>;
}

function aTenantWorld(): TenantWorld {
  const outside = new Set<string>();
  const head: Registry['head'] = async (at, as) => {
    const isSlow = at.host === 'mirror.example.com';
    await world.clock.sleep(isSlow ? 700 : 300, new AbortController().signal);
    const opening = as.find((credential) => mayRead(credential, at.path, outside));
    if (opening === undefined) return isSlow ? 'missing' : refuse(at.host);
    return { digest: `sha256:${'a'.repeat(64)}` as never, mediaType: 'x', size: 1, identity: opening.id };
  };
  const world = aWorld({ rules: [rule], registry: { head } });
  for (const tenant of tenants) world.cluster.putSecret({ namespace: tenant, name: 'own', uid: `uid-${tenant}`, data: dockerConfig(tenant, 'mirror.example.com', 'private.example.com', 'shared.example.com') });
  world.cluster.putSecret({ namespace: 'kuik-system', name: 'shared', data: dockerConfig('kuik', 'shared.example.com') });
  return { world, outside };
}

function mayRead({ username = '' }: Credential, path: string, outside: ReadonlySet<string>): boolean {
  return !outside.has(username) && (path.includes(`of-${username}`) || (path.includes('of-both') && username !== 'kuik'));
}

function refuse(host: string): never {
  throw new Failure({ code: 'unauthorized', side: 'source', host, message: 'no' });
}

function dockerConfig(username: string, ...hosts: readonly string[]): Record<string, Uint8Array> {
  return { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: Object.fromEntries(hosts.map((host) => [host, { username, password: 'p' }])) })) };
}

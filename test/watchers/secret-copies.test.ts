import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Secret } from '../../src/domain/secret.js';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { Failure } from '../../src/domain/failure.js';
import type { Rule } from '../../src/domain/rule.js';
import { secretCopyName } from '../../src/domain/secret-copy.js';
import type { Pod } from '../../src/domain/usage.js';
import { SecretCopies } from '../../src/watchers/secret-copies.js';
import { aMirrorRule, aPod, aReplicaRule } from '../support/builders.js';

const source = { namespace: 'kuik-system', name: 'pull' };
const hour = 60 * 60 * 1000;
const day = 24 * hour;

/** The manager's part over a cluster in memory; Pods and rules are what the views would show. */
class Bench {
  readonly cluster = new MemoryCluster();
  readonly actions: string[] = [];
  rules: readonly Rule[] = [aMirrorRule({ uid: 'u1', mirrors: [{ credentialSecret: source }] })];
  pods: readonly Pod[] = [];
  now = Date.parse('2026-11-20T12:00:00Z');
  #reads = 0;
  copies = this.manager();

  /** A manager that has just begun. */
  manager(): SecretCopies {
    return new SecretCopies({
      cluster: {
        secret: (ref) => ((this.#reads += 1), this.cluster.secret(ref)),
        applySecret: (applied, manager) => this.cluster.applySecret(applied, manager),
        deleteSecret: (ref, version) => this.cluster.deleteSecret(ref, version),
      },
      rules: () => this.rules,
      pods: () => this.pods,
      namespaces: () => ['kuik-system', 'shop', 'blog', 'lab'],
      expiryMs: day,
      observe: (action) => this.actions.push(action),
      now: () => this.now,
    });
  }

  password(text: string): void {
    this.cluster.putSecret({ ...source, data: { '.dockerconfigjson': Buffer.from(text) } });
  }

  /** Pods of these namespaces name the copy, and no others do. */
  named(...namespaces: readonly string[]): void {
    this.pods = namespaces.map((namespace) => aPod({ namespace, name: `web-${namespace}`, pullSecrets: [copyName] }));
  }

  async pass(passedMs = 0): Promise<void> {
    this.now += passedMs;
    await this.copies.pass();
  }

  copyIn(namespace: string): Promise<Secret | undefined> {
    return this.cluster.secret({ namespace, name: copyName });
  }

  async textIn(namespace: string): Promise<string | undefined> {
    const copy = await this.copyIn(namespace);
    return copy && Buffer.from(copy.data['.dockerconfigjson'] ?? []).toString();
  }

  async reads(work: () => Promise<void>): Promise<number> {
    const before = this.#reads;
    await work();
    return this.#reads - before;
  }
}

const copyName = secretCopyName(source, 'u1');
let bench: Bench;
beforeEach(async () => {
  bench = new Bench();
  bench.password('first');
  bench.named('shop', 'blog');
  await bench.pass(); // a copy that is named and not there is made, so that its Pods can be started again
});

describe('a copy that Pods name', () => {
  test('follows its source into every namespace', async () => {
    bench.password('second');

    await bench.pass();

    expect([await bench.textIn('shop'), await bench.textIn('blog'), await bench.textIn('lab')]).toEqual(['second', 'second', undefined]);
    expect(bench.actions).toEqual(['created', 'created', 'renewed', 'renewed']);
    expect(await bench.copyIn('shop')).toMatchObject({ labels: { 'kuik.enix.io/owner-uid': 'u1' }, annotations: { 'kuik.enix.io/source': 'kuik-system/pull', 'kuik.enix.io/source-version': (await bench.cluster.secret(source))?.resourceVersion } });
  });

  test('costs one read while nothing differs, and each source one', async () => {
    expect(await bench.reads(() => bench.pass())).toBe(3);
    expect(bench.actions).toEqual(['created', 'created']);
  });

  test.each<[string, Partial<Secret>]>([
    ['its data were edited', { data: { '.dockerconfigjson': Buffer.from('edited') } }],
    ['it has another type', { type: 'kubernetes.io/dockercfg' }],
    ['it does not say where it comes from, as copies of v2', { annotations: {} }],
  ])('is put right when %s', async (_what, change) => {
    const copy = await bench.copyIn('shop');
    bench.cluster.putSecret({ ...(copy as Secret), ...change });

    await bench.pass();

    expect(await bench.textIn('shop')).toBe('first');
    expect(await bench.copyIn('shop')).toMatchObject({ type: 'kubernetes.io/dockerconfigjson', annotations: { 'kuik.enix.io/source': 'kuik-system/pull' } });
  });

  test('stays when its source is gone, and is renewed when it is back', async () => {
    bench.cluster.removeSecret(source);
    await bench.pass();
    expect(await bench.textIn('shop')).toBe('first');

    bench.password('back');
    await bench.pass();

    expect(await bench.textIn('shop')).toBe('back');
  });

  test('is nobody else’s Secret of that name', async () => {
    bench.cluster.putSecret({ namespace: 'lab', name: copyName, data: { mine: Buffer.from('x') }, labels: { 'kuik.enix.io/owner-uid': 'u2' } });
    bench.named('lab');

    await bench.pass();
    await bench.pass(3 * day);

    expect(Object.keys((await bench.copyIn('lab'))?.data ?? {})).toEqual(['mine']);
  });

  test('gives nothing to a namespace its rule does not see, whatever Pods there name', async () => {
    bench.rules = [aMirrorRule({ uid: 'u1', pods: { exclude: { namespaces: [/lab/] } }, mirrors: [{ credentialSecret: source }] })];
    bench.named('lab');
    bench.cluster.putSecret({ namespace: 'lab', name: copyName, data: {}, labels: { 'kuik.enix.io/owner-uid': 'u1' } });

    await bench.pass();

    expect(await bench.textIn('lab')).toBe('');
  });

  test('is never made of a copy', async () => {
    const copy = { namespace: 'shop', name: copyName };
    bench.rules = [aMirrorRule({ uid: 'u9', mirrors: [{ credentialSecret: copy }] })];
    bench.pods = [aPod({ namespace: 'lab', pullSecrets: [secretCopyName(copy, 'u9')] })];

    await bench.pass();

    expect(await bench.cluster.secret({ namespace: 'lab', name: secretCopyName(copy, 'u9') })).toBeUndefined();
  });

  test('holds what Pods pull with, not what pushes; upstreams have copies too', async () => {
    const [push, pull, other] = ['push', 'pull-only', 'other'].map((name) => ({ namespace: 'kuik-system', name }));
    for (const ref of [push, pull, other]) if (ref !== undefined) bench.cluster.putSecret({ ...ref, data: { '.dockerconfigjson': Buffer.from(ref.name) } });
    bench.rules = [aMirrorRule({ uid: 'm', mirrors: [{ credentialSecret: push, pullSecret: pull }] }), aReplicaRule({ uid: 'r', upstreams: [{ registry: 'replica.example.com', credentialSecret: other }] })];
    const names = [push, pull, other].flatMap((ref) => (ref === undefined ? [] : [secretCopyName(ref, 'm'), secretCopyName(ref, 'r')]));
    bench.pods = [aPod({ namespace: 'lab', pullSecrets: names })];

    await bench.pass();

    const made = await Promise.all(names.map((name) => bench.cluster.secret({ namespace: 'lab', name })));
    expect(made.map((secret) => secret && Buffer.from(secret.data['.dockerconfigjson'] ?? []).toString()).filter(Boolean)).toEqual(['pull-only', 'other']);
  });

  test('is still looked after when its rule names another Secret by now', async () => {
    bench.rules = [aMirrorRule({ uid: 'u1', mirrors: [{ credentialSecret: { namespace: 'kuik-system', name: 'next' } }] })];
    bench.password('second');

    await bench.pass(2 * day);
    expect(await bench.textIn('shop')).toBe('second');

    bench.named();
    await bench.pass();
    await bench.pass(day);
    expect(await bench.copyIn('shop')).toBeUndefined();
  });

  test('goes with its rule, and is not made again', async () => {
    bench.rules = [aMirrorRule({ uid: 'u1', deletedAt: '2026-11-20T12:00:00Z', mirrors: [{ credentialSecret: source }] })];
    bench.cluster.removeSecret({ namespace: 'shop', name: copyName }); // what the garbage collector does

    await bench.pass();

    expect(await bench.copyIn('shop')).toBeUndefined();
  });
});

describe('a copy that no Pod names', () => {
  test('says since when, and goes when its time is over', async () => {
    bench.named('blog');
    await bench.pass();
    expect((await bench.copyIn('shop'))?.annotations).toMatchObject({ 'kuik.enix.io/unused-since': '2026-11-20T12:00:00.000Z', 'kuik.enix.io/source': 'kuik-system/pull' });

    await bench.pass(day - 1);
    expect(await bench.copyIn('shop')).toBeDefined();
    await bench.pass(1);

    expect(await bench.copyIn('shop')).toBeUndefined();
    expect(await bench.copyIn('blog')).toBeDefined();
    expect(bench.actions.at(-1)).toBe('expired');
  });

  test('has the time it had before the manager was started again', async () => {
    bench.named();
    await bench.pass();
    bench.copies = bench.manager();

    await bench.pass(day);

    expect(await bench.copyIn('shop')).toBeUndefined();
  });

  test('stops its clock when a Pod names it again, even if its source is gone', async () => {
    bench.named();
    await bench.pass();
    bench.cluster.removeSecret(source);
    bench.named('shop');

    await bench.pass(day);

    expect((await bench.copyIn('shop'))?.annotations).toEqual({ 'kuik.enix.io/source': 'kuik-system/pull', 'kuik.enix.io/source-version': expect.any(String) });
  });

  test('is kept when a webhook writes it in the very moment it would go', async () => {
    bench.named();
    await bench.pass();
    const applied = await bench.copyIn('shop');
    const read = bench.cluster.secret.bind(bench.cluster);
    bench.now += day;
    bench.cluster.secret = async (ref) => {
      const found = await read(ref);
      if (ref.namespace === 'shop' && applied !== undefined) await bench.cluster.applySecret({ ...applied, annotations: { 'kuik.enix.io/source': 'kuik-system/pull' } }, 'kuik-webhook');
      return found;
    };

    await expect(bench.pass()).rejects.toMatchObject({ code: 'conflict' });
    bench.cluster.secret = read;
    await bench.pass();

    expect((await bench.copyIn('shop'))?.annotations['kuik.enix.io/unused-since']).toBe('2026-11-21T12:00:00.000Z');
  });

  test('is found by its name, although nobody ever saw a Pod name it', async () => {
    bench.named();
    bench.copies = bench.manager();

    await bench.pass();

    expect((await bench.copyIn('shop'))?.annotations['kuik.enix.io/unused-since']).toBe('2026-11-20T12:00:00.000Z');
    expect(await bench.reads(() => bench.pass(hour))).toBe(0); // the next search comes after a day
  });

  test('stays at least a minute, however short the expiry: a webhook may have promised it', async () => {
    const quick = new SecretCopies({ cluster: bench.cluster, rules: () => bench.rules, pods: () => [], namespaces: () => ['shop'], expiryMs: 0, observe: () => undefined, now: () => bench.now });
    await quick.pass();

    bench.now += 59_000;
    await quick.pass();
    expect(await bench.copyIn('shop')).toBeDefined();
    bench.now += 1_000;
    await quick.pass();

    expect(await bench.copyIn('shop')).toBeUndefined();
  });
});

test('one namespace that fails holds up no other, and is tried again', async () => {
  const apply = bench.cluster.applySecret.bind(bench.cluster);
  bench.cluster.applySecret = async (applied, manager) => {
    if (applied.namespace === 'blog') throw new Failure({ code: 'denied', side: 'cluster', message: 'not allowed' });
    return apply(applied, manager);
  };
  bench.password('second');

  await expect(bench.pass()).rejects.toMatchObject({ code: 'denied' });
  expect([await bench.textIn('shop'), await bench.textIn('blog')]).toEqual(['second', 'first']);
  expect(bench.actions.at(-1)).not.toBe('expired');

  bench.cluster.applySecret = apply;
  await bench.pass();
  expect(await bench.textIn('blog')).toBe('second');
});

test('where we may not read there is nothing to expire', async () => {
  bench.named();
  bench.copies = bench.manager();
  bench.cluster.secret = () => Promise.reject(new Failure({ code: 'denied', side: 'cluster', message: 'not allowed' }));

  await bench.pass();

  expect(bench.actions).toEqual(['created', 'created']);
});

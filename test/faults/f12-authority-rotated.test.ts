import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { KubernetesCluster } from '../../src/cluster/kubernetes/client.js';
import type { AuthorityKeeper } from '../../src/webhook/authority-keeper.js';
import { fieldManagers } from '../../src/domain/names.js';
import { authoritySecret, readAuthorities } from '../../src/webhook/certificate-secret.js';
import { authorityLifetimeMs, dueAt, leafLifetimeMs, settleMs, type Authorities } from '../../src/webhook/certificates.js';
import { unannouncedMs } from '../../src/webhook/leaf-keeper.js';
import { systemClock } from '../../src/webhook/system-clock.js';
import { makeAuthority, type KeyPair } from '../../src/webhook/x509.js';
import { createHttpRegistry, type HttpRegistry } from '../../src/registry/http/client.js';
import { AdmissionLab, aLeader, authorityRef as secret } from '../support/admission-lab.js';
import { fault, type Chance } from '../support/fault.js';
import { innerReplica, lastOfConnection, watchedViews, type InnerReplica } from '../webhook/inner-replica.js';

const day = 86_400_000;
/** An API server takes a changed bundle within milliseconds; kuik gives it five minutes. */
const realSettleMs = 1_000;

/*
 * Months pass in seconds: an authority is born 300 days old, and `published` is set back by the time that would have
 * passed since, and the keepers' clock ahead for a look. Certificates themselves are checked by the API server, whose clock nobody can turn. Every step is
 * taken by the keepers; only the successor of a young authority is put into the Secret, since nothing is due there.
 */
describe('the authority is rotated, lost and spoiled, under load', () => {
  let lab: AdmissionLab;
  let replicas: readonly InnerReplica[];
  let cluster: KubernetesCluster;
  let leader: AuthorityKeeper;
  let registry: HttpRegistry;
  const stop = new AbortController();
  /** milliseconds by which the clock of the replicas' keepers is ahead */
  let ahead = 0;
  beforeAll(async () => {
    registry = createHttpRegistry({ settings: () => ({}), clock: Date.now, userAgent: 'kube-image-keeper/test' });
    ({ lab, replicas } = await AdmissionLab.open(async ({ cluster: own }) => {
      cluster = own;
      leader = aLeader(cluster);
      const place = { cluster, registry, views: await watchedViews(cluster, stop.signal), clock: { ...systemClock, now: () => Date.now() + ahead } };
      return [await innerReplica(place), await innerReplica(place)];
    }));
    await lab.mirrorEverything();
  }, 120_000);
  afterAll(async () => {
    stop.abort();
    await registry?.close();
    await lab?.close();
    // a connection that never carried a review keeps its replica for a minute, unless the other side ends it
    await Promise.all((replicas ?? []).map((replica) => replica.stop()));
  }, 120_000);

  fault(
    'F12',
    'no Pod is refused, and each authority takes over',
    async ({ size, chance }) => {
      const rotations = size({ quick: 5, soak: 50 });
      const signers = new Set([fingerprint(await read())]);
      let isOver = false;
      const rotating = (async () => {
        for (let done = 0; done < rotations; done++) {
          await rotate(chance);
          signers.add(fingerprint(await read()));
          await (chance.next() < 0.5 ? lose() : spoil());
          // who leads next remembers nothing
          if (chance.next() < 0.3) leader = aLeader(cluster);
          await look(chance);
        }
      })().finally(() => void (isOver = true));

      const seen = await lab.create({ count: size({ quick: 500, soak: 10_000 }), while: () => !isOver, images: (number) => [lab.image(number)], atOnce: 4 });
      await rotating;

      expect(seen).toMatchObject({ undecided: 0, refused: [] });
      expect(signers.size).toBe(rotations + 1); // one more each time, and those lost with their leader are not counted
      expect(lab.balancer.carried).toBeGreaterThan(seen.admitted / (2 * lastOfConnection));
    },
    180_000,
  );

  async function rotate(chance: Chance): Promise<void> {
    const { current, next } = await read();
    if (next === undefined && dueAt(current) > Date.now()) await write({ current, next: await agedAuthority() });
    await look(chance); // the next one is there, and published
    await sleep(realSettleMs);
    await since(settleMs);
    await look(chance); // it signs
    await since(leafLifetimeMs);
    await look(chance); // it is the current one
  }

  /** Everybody looks, in an order of chance; and replicas once more, as they do all the time. */
  async function look(chance: Chance): Promise<void> {
    const keepers = replicas.map(({ keeper }) => keeper);
    const everybody = [leader, ...keepers].map((keeper) => ({ keeper, turn: chance.next() })).sort((one, other) => one.turn - other.turn);
    for (const { keeper } of everybody) {
      await keeper.look();
      // what it published is taken by the API server a moment later; replicas look every ten seconds
      if (keeper === leader) await sleep(realSettleMs);
    }
    for (const keeper of keepers) await keeper.look();
    // whoever waits before it serves with an authority nobody announced has waited
    ahead = unannouncedMs;
    for (const keeper of keepers) await keeper.look();
    ahead = 0;
  }

  async function read(): Promise<Authorities> {
    const authorities = readAuthorities(await cluster.secret(secret));
    if (typeof authorities === 'string') throw new Error(`the authority is ${authorities}`);
    return authorities;
  }

  async function write(authorities: Authorities): Promise<void> {
    await cluster.applySecret(authoritySecret(secret, authorities), fieldManagers.certificates);
  }

  /** So much time has passed since the bundle was published. */
  async function since(ms: number): Promise<void> {
    const authorities = await read();
    await write({ ...authorities, published: (authorities.published ?? Date.now()) - ms - 1_000 });
  }

  async function lose(): Promise<void> {
    await cluster.deleteSecret(secret);
  }

  async function spoil(): Promise<void> {
    await cluster.applySecret({ ...secret, type: 'kubernetes.io/tls', data: { 'tls.crt': Buffer.from('nonsense'), 'tls.key': Buffer.from('nonsense') } }, fieldManagers.certificates);
  }
});

function agedAuthority(): Promise<KeyPair> {
  return makeAuthority('kuik webhook authority', Date.now() - 300 * day, authorityLifetimeMs);
}

function fingerprint({ current }: Authorities): string {
  return current.certificate;
}

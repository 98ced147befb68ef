import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createCredentials } from '../../src/activities/credentials.js';
import { createMirrorActivities } from '../../src/activities/mirror.js';
import type { Secret } from '../../src/domain/secret.js';
import { knownImageRef, placeIdentity, type ImageName, type PlaceId } from '../../src/domain/image-ref.js';
import type { ImageRecord } from '../../src/domain/record.js';
import type { MirrorRule } from '../../src/domain/rule.js';
import { createCopyEngine } from '../../src/registry/copy.js';
import type { CopyPlan, Resolved } from '../../src/registry/copy-engine.js';
import type { ResolveInput, Subject } from '../../src/temporal/activities.js';
import { sdkLogger } from '../../src/temporal/logger.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { aCopy, aMirrorRule, aRecord } from '../support/builders.js';
import type { Chance } from '../support/chance.js';
import { fault } from '../support/fault.js';
import type { FaultRegistry } from '../support/fault-registry.js';
import { anImage, pushImage, single } from '../support/images.js';
import { brokenTags } from '../support/invariants.js';
import { openKeepers, type Keepers } from '../support/keepers.js';
import { aClient, aRegistryServer, closeAfterEach, nameAt } from '../support/registry-client.js';
import { startRelay, type Relay } from '../support/relay.js';
import { createPod, push, until, untilMirrored } from '../support/stage.js';
import { quiet } from '../support/temporal-lab.js';
import { until as untilSo } from '../support/until.js';

closeAfterEach();

/** What becomes of the rule a copy is made for; each writes with the Secret of its name. */
const fates = ['made again', 'gone', 'kept by its record'] as const;
const passwords: Readonly<Record<string, string>> = { first: 'correct horse', second: 'battery staple', other: 'tr0ub4dor&3' };

/** One copy that gets stuck, and the rule it is made for. */
class Race {
  rules: readonly MirrorRule[];
  record: ImageRecord | undefined;
  readonly subject: Subject;
  readonly #image: ImageName;
  readonly #activities;
  readonly #destination: FaultRegistry;

  constructor(
    readonly name: string,
    source: FaultRegistry,
    destination: FaultRegistry,
  ) {
    this.#image = nameAt(source, `library/${name}:1`);
    this.#destination = destination;
    const first = this.#rule('first', 'uid-1');
    this.rules = [first, this.#bystander()];
    const publishAs = nameAt(destination, `kept/library/${name}:1`);
    this.subject = { v: 1, destination: placeIdentity(knownImageRef(publishAs)), publishAs, image: this.#image, rules: [first.id] };
    const credentials = createCredentials({
      rules: () => this.rules,
      record: () => this.record,
      podsUsing: () => [],
      secret: async ({ namespace, name }) => ({ namespace, name }) as Secret,
      keyring: (secrets) => secrets.map(({ name }) => ({ id: name, username: name, password: passwords[name] })),
      fallback: () => undefined,
    });
    this.#activities = createMirrorActivities({ engine: createCopyEngine(aClient().registry), credentials, lookEveryMs: 2 });
  }

  /** The steps of the workflow; each finds its credentials by itself. */
  async resolve(): Promise<CopyPlan> {
    const { resolveSource } = this.#activities;
    const wanted: ResolveInput = { ...this.subject, sources: [this.#image], platforms: [{ architecture: 'amd64' }], copy: 'all' };
    const resolved = await anEnvironment().run<[ResolveInput], Resolved, typeof resolveSource>(resolveSource, wanted);
    if (resolved.verdict !== 'copy') throw new Error(resolved.verdict);
    return resolved.plan;
  }

  async copy(plan: CopyPlan): Promise<void> {
    const { subject } = this;
    const { copyPlatform, publishTag } = this.#activities;
    for (const part of plan.parts) await anEnvironment().run(copyPlatform, { ...subject, plan: { ...plan, parts: [part] }, part });
    await anEnvironment().run(publishTag, { ...subject, plan });
  }

  goes(): void {
    this.rules = [this.#bystander()];
  }

  comesAgain(): void {
    this.rules = [this.#rule('second', 'uid-2'), this.#bystander()];
  }

  /** With clean-up on, the record remembers the place and its Secret. */
  isKept(): void {
    this.record = aRecord({ image: this.#image, places: [aCopy(this.subject.destination, { rule: 'ClusterImageSetMirror/main', secret: secretOf('first') })] });
  }

  /** Who sent content or manifests, in order. */
  writers(): readonly string[] {
    const isWrite = ({ method, path }: { readonly method: string; readonly path: string }): boolean => path.includes(`/${this.name}/`) && ['POST', 'PATCH', 'PUT'].includes(method);
    return this.#destination.requests.filter(isWrite).flatMap(({ headers }) => userIn(headers['authorization']));
  }

  isThere(): boolean {
    return this.#destination.store.find(`kept/library/${this.name}`)?.tags.has('1') === true;
  }

  #rule(secret: string, uid: string): MirrorRule {
    return aMirrorRule({ uid, mirrors: [{ registry: this.#destination.host, path: '/kept', credentialSecret: secretOf(secret) }] });
  }

  /** Keeps its copies in the same place, and has no part in this one. */
  #bystander(): MirrorRule {
    return aMirrorRule({ name: 'bystander', mirrors: [{ registry: this.#destination.host, path: '/kept', credentialSecret: secretOf('other') }] });
  }
}

function secretOf(name: string) {
  return { namespace: 'kuik-system', name };
}

function anEnvironment(): MockActivityEnvironment {
  return new MockActivityEnvironment({}, { logger: sdkLogger(quiet) });
}

function userIn(authorization: string | string[] | undefined): readonly string[] {
  const [, basic] = /^Basic (.+)$/.exec(String(authorization)) ?? [];
  return basic === undefined ? [] : [Buffer.from(basic, 'base64').toString().split(':')[0] ?? ''];
}

const blobs = 3; // a config, which has been read, and two layers

/**
 * A request that is never answered: only who asked can end it.
 *
 * @returns whether it has come, and everything else is done
 */
function stick(chance: Chance, name: string, source: FaultRegistry, destination: FaultRegistry): () => boolean {
  const does = { after: new Promise<never>(() => undefined) };
  const path = `/${name}/`;
  const isReadStuck = chance.next() < 0.5;
  if (isReadStuck) source.fault({ on: { route: 'blob', method: 'GET', path }, from: chance.between(1, blobs - 1), does });
  else destination.fault({ on: { route: 'upload', method: 'POST', path }, from: chance.between(1, blobs), does });
  return () => {
    const sent = destination.requests.filter((request) => request.route === 'upload' && request.path.includes(path));
    return sent.length === (isReadStuck ? blobs - 1 : blobs) && sent.filter(({ status }) => status === 201).length === blobs - 1;
  };
}

describe('a rule is deleted while its copy is under way', () => {
  fault('F37', 'what was begun for its UID is broken off, and goes on only for whoever holds the destination then', async ({ chance, size }) => {
    const source = await aRegistryServer();
    const destination = await aRegistryServer({ access: { type: 'basic', accounts: passwords } });
    const { registry } = aClient();

    for (let round = 0; round < size({ quick: 30, soak: 500 }); round++) {
      const fate = fates[round % fates.length] ?? 'gone';
      const race = new Race(`app-${round}`, source, destination);
      await pushImage(registry, `${source.host}/library/${race.name}:1`, single(anImage(race.name, { layers: [`${race.name}-a`, `${race.name}-b`] })));
      const plan = await race.resolve();
      const isStuck = stick(chance, race.name, source, destination);
      const ending = race.copy(plan).then(
        () => 'copied',
        (error: { readonly code?: string }) => error.code,
      );
      await untilSo(isStuck);
      const before = race.writers().length;

      if (fate === 'kept by its record') race.isKept();
      race.goes();
      if (fate === 'made again') {
        await sleep(chance.between(0, 6)); // sometimes nobody sees that it was away
        race.comesAgain();
      }
      const ended = await ending;

      if (fate === 'made again') {
        // told by the new claim, its keeper copies anew for the other rule
        if (ended === 'invalid') await race.copy(await race.resolve());
        else expect(ended).toBe('copied');
        const writers = race.writers();
        expect(writers.slice(writers.indexOf('second'))).not.toContain('first');
        expect(writers).toContain('second');
      } else if (fate === 'gone') {
        expect(ended).toBe('invalid');
        await sleep(20);
        expect(race.writers()).toHaveLength(before);
      } else expect(ended).toBe('copied');

      expect(race.writers()).not.toContain('other');
      expect(race.isThere()).toBe(fate !== 'gone');
      expect(brokenTags(destination.store, `kept/library/${race.name}`)).toEqual([]);
    }
  }, 120_000);
});

const secretNames = ['first', 'second'] as const;

describe('a rule is deleted while its copy is under way, and applied again under its name', () => {
  let stage: Stage;
  let source: Relay;
  let keepers: Keepers;
  beforeAll(async () => {
    const accounts = { first: 'correct-horse', second: 'battery-staple' };
    stage = await Stage.open({ dir: scratchFolder('f37'), passwords: { mirror: accounts } });
    source = await startRelay(stage.sourceAddress);
    keepers = await openKeepers(stage.temporalAddress);
    for (const [name, password] of Object.entries(accounts)) {
      await stage.kubectl('create', 'secret', 'docker-registry', name, '-n', 'kuik-system', `--docker-server=${stage.mirror.address}`, `--docker-username=${name}`, `--docker-password=${password}`);
    }
    await stage.crane('auth', 'login', stage.mirror.address, '-u', 'first', '-p', accounts.first);
  }, 120_000);
  afterAll(async () => {
    await keepers?.close();
    await source?.close();
    await stage?.close();
  });

  const applyRule = (secret: string): Promise<string> => {
    const mirrors = [{ registry: stage.mirror.address, path: '/kept', platforms: [{ architecture: 'amd64' }, { architecture: 'arm64' }], credentialSecret: { namespace: 'kuik-system', name: secret } }];
    const rule = { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'again' }, spec: { filter: { include: [{ image: '.+' }] }, mirrors } };
    return stage.apply(JSON.stringify(rule));
  };

  fault('F37', 'the image is copied for the new rule, soon, and nothing stays failed', async ({ chance, size }) => {
    await applyRule('first');
    for (let round = 0; round < size({ quick: 3, soak: 500 }); round++) {
      const name = `app-${round}:1.0`;
      const [image, copy] = [`${source.address}/library/${name}`, stage.copyOf(name)];
      const digest = await push(stage, name, [{ seed: `${name}-{platform}`, size: 2 << 20 }]);
      source.limit(300_000);
      await createPod(stage, `app-${round}`, image);
      await until('the copy to be under way', async () => (await keepers.status(copy))?.phase === 'Copying');

      await stage.kubectl('delete', 'cism', 'again');
      await sleep(chance.between(0, 8_000));
      await applyRule(secretNames[(round + 1) % 2] ?? 'first');
      source.limit(undefined);

      await untilMirrored(stage, image);
      expect(await stage.crane('digest', copy)).toBe(digest);
      await stage.crane('validate', '--remote', copy);
      expect((await keepers.status(copy as PlaceId))?.failure).toBeUndefined();
    }
  }, 240_000);
});

/** Histories of monitors: each way one can go, on a registry of its own. Part of `record-histories.ts`. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { Failure } from '../../src/domain/failure.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import type { ChecksReport, ChecksTask } from '../../src/domain/monitor-run.js';
import type { MonitorClient } from '../../src/temporal/monitor-client.js';
import { monitorId } from '../../src/temporal/workflow-ids.js';
import { until, World, type Lab } from './temporal-lab.js';

export type Save = (workflow: string, name: string, handle: WorkflowHandle) => Promise<void>;

/** What the goes of one registry tell, in order; the last one goes on telling so. */
type Goes = readonly (() => ChecksReport | Promise<ChecksReport>)[];

const cluster = 'oslo';
/** A tick of 200 ms, which is waited for after a failure; between goes it is what each of them tells. */
const pace = { v: 1, intervalMs: 1_200, maxPerInterval: 6 } as const;
const fasterPace = { ...pace, maxPerInterval: 60 } as const;
const nginx = 'docker.io/library/nginx:1.27' as ImageName;
const redis = 'docker.io/library/redis:8' as ImageName;

export async function recordMonitors(lab: Lab, save: Save): Promise<void> {
  const all = await Recorder.open(lab, save);
  await all.monitored('docker.io');
  await all.ended('ghcr.io');
  await all.throttled('quay.io');
  await all.renewed('registry.k8s.io');
  await all.asked('registry.gitlab.com');
  await all.wished('mcr.microsoft.com');
  await all.cutShort('cgr.dev');
  await all.repaced('nvcr.io');
  await all.cancelled('public.ecr.aws');
  await all.failing('registry.redhat.io');
}

class Recorder {
  readonly #lab: Lab;
  readonly #save: Save;
  readonly #monitors: MonitorClient;
  readonly #goes = new Map<string, { readonly script: Goes; begun: number }>();

  private constructor(lab: Lab, save: Save) {
    this.#lab = lab;
    this.#save = save;
    this.#monitors = lab.keepers.monitors(cluster);
  }

  static async open(lab: Lab, save: Save): Promise<Recorder> {
    const recorder = new Recorder(lab, save);
    await lab.work(cluster, new World(), { monitor: { checkBatch: (task) => recorder.#go(task) } });
    return recorder;
  }

  /** The registry asks to be left alone, nobody can write, somebody asks, and it is paused and resumed. */
  async monitored(registry: string): Promise<void> {
    const monitor = await this.#start(registry, [
      () => report({ throttled: true, nextDelayMs: 1_000, counts: { QuotaExceeded: 1 } }),
      fails('invalid'),
      () => report({ nextDelayMs: 500, counts: { Available: 1 } }),
      () => report({ counts: { Available: 2 } }),
    ]);
    await this.#becomes(registry, 'Turn');
    await this.#monitors.checkNow(registry, nginx);
    for (const name of ['pause', 'resume']) await monitor.signal(name);
    await this.#until(registry, 4);
    await this.#becomes(registry, 'Turn');
    await this.#save('monitorRegistry', 'throttled-failed-a-tick-asked-paused', monitor);
  }

  /** Nothing is left to check, twice in a row. */
  async ended(registry: string): Promise<void> {
    const monitor = await this.#start(registry, [() => report({ nextDelayMs: 100 }), () => report({ places: 0, checked: 0, counts: {}, nextDelayMs: 0 })]);
    await monitor.result();
    await this.#save('monitorRegistry', 'ended-by-itself', monitor);
  }

  /** The registry asks to be left alone, twice; a faster pace does not hurry it. */
  async throttled(registry: string): Promise<void> {
    const monitor = await this.#start(registry, [
      () => report({ throttled: true, nextDelayMs: 1_500, counts: { Available: 1, QuotaExceeded: 1 } }),
      () => report({ throttled: true, nextDelayMs: 500, counts: { Available: 1, QuotaExceeded: 1 } }),
      () => report(),
    ]);
    await this.#becomes(registry, 'Throttled');
    await this.#monitors.configure(registry, fasterPace);
    await this.#until(registry, 3);
    await this.#becomes(registry, 'Turn');
    await this.#save('monitorRegistry', 'throttled-twice', monitor);
  }

  /** Continues as new, twice: a week lasts 1.8 s. */
  async renewed(registry: string): Promise<void> {
    const monitors = this.#lab.keepersAt(0.000_003).monitors(cluster);
    const monitor = await this.#start(registry, [() => report({ nextDelayMs: 600 })], monitors);
    const runs: string[] = [];
    while (runs.length < 3) {
      const { runId } = await monitor.describe();
      if (runs.at(-1) !== runId) runs.push(runId);
      await sleep(50);
    }
    const [before = '', after = ''] = runs;
    await this.#save('monitorRegistry', 'renewed-before', this.#handle(registry, before));
    await this.#save('monitorRegistry', 'renewed-after', this.#handle(registry, after));
    await monitor.terminate('recorded');
  }

  /** In the middle of checks it is paused and asked; resumed, nobody can look; a tick later somebody can, then its pace changes. */
  async asked(registry: string): Promise<void> {
    const { promise: isOpen, resolve: open } = Promise.withResolvers<void>();
    const monitor = await this.#start(registry, [() => isOpen.then(() => report()), fails('unreachable'), () => report()]);
    await this.#until(registry, 1);
    await monitor.signal('pause');
    await this.#monitors.checkNow(registry, nginx);
    await monitor.signal('checkNow');
    open();
    await this.#becomes(registry, 'Paused');
    await monitor.signal('resume');
    await this.#until(registry, 3);
    await this.#becomes(registry, 'Turn');
    await this.#monitors.configure(registry, fasterPace);
    await monitor.signal('configure', 'nonsense');
    await this.#until(registry, 4);
    await monitor.signal('checkNow');
    await this.#until(registry, 5);
    await this.#becomes(registry, 'Turn');
    await this.#save('monitorRegistry', 'asked-while-paused-failed-and-kept', monitor);
  }

  /** Somebody wants a check, whichever is next, while another one is made. */
  async wished(registry: string): Promise<void> {
    const { promise: isOpen, resolve: open } = Promise.withResolvers<void>();
    const monitor = await this.#start(registry, [() => isOpen.then(() => report()), () => report()]);
    await this.#until(registry, 1);
    await monitor.signal('checkNow');
    open();
    await this.#until(registry, 2);
    await this.#becomes(registry, 'Turn');
    await this.#save('monitorRegistry', 'asked-during-checks-called-off', monitor);
  }

  /** Of two wishes one had its check, the other none, and then it has; the first turn of a wish that names nothing comes to nothing. */
  async cutShort(registry: string): Promise<void> {
    const { promise: isOpen, resolve: open } = Promise.withResolvers<void>();
    const noTurn = (): ChecksReport => report({ checked: 0, unmade: 1 });
    const monitor = await this.#start(registry, [() => isOpen.then(() => report()), () => report({ unmade: 1 }), noTurn, () => report(), noTurn, () => report()]);
    await this.#until(registry, 1);
    for (const image of [nginx, redis]) await this.#monitors.checkNow(registry, image);
    open();
    await this.#until(registry, 4);
    await this.#becomes(registry, 'Turn');
    await monitor.signal('checkNow');
    await this.#until(registry, 6);
    await this.#becomes(registry, 'Turn');
    await this.#save('monitorRegistry', 'asked-and-cut-short-called-off', monitor);
  }

  /** Of more wishes than one go takes along none can be made; a little later all can. */
  async failing(registry: string): Promise<void> {
    const { promise: isOpen, resolve: open } = Promise.withResolvers<void>();
    const monitor = await this.#start(registry, [() => isOpen.then(() => report()), fails('unreachable'), () => report()]);
    await this.#until(registry, 1);
    await monitor.signal('pause');
    for (let image = 1; image <= 25; image++) await this.#monitors.checkNow(registry, `${registry}/app:${image}` as ImageName);
    open();
    await this.#becomes(registry, 'Paused');
    await monitor.signal('resume');
    await this.#until(registry, 4);
    await this.#becomes(registry, 'Turn');
    await this.#save('monitorRegistry', 'asked-for-many-failed-and-kept', monitor);
  }

  /** Its pace becomes a faster one in the middle of checks. */
  async repaced(registry: string): Promise<void> {
    const { promise: isOpen, resolve: open } = Promise.withResolvers<void>();
    const monitor = await this.#start(registry, [() => isOpen.then(() => report({ nextDelayMs: 200 })), () => report()]);
    await this.#until(registry, 1);
    await this.#monitors.configure(registry, fasterPace);
    open();
    await this.#until(registry, 2);
    await this.#becomes(registry, 'Turn');
    await this.#save('monitorRegistry', 'faster-pace-during-checks-called-off', monitor);
  }

  /** By a person, in the middle of checks. */
  async cancelled(registry: string): Promise<void> {
    const { promise: isOpen, resolve: open } = Promise.withResolvers<void>();
    const monitor = await this.#start(registry, [() => report({ nextDelayMs: 50 }), () => isOpen.then(() => report())]);
    await this.#until(registry, 2);
    await monitor.cancel();
    await monitor.result().catch(() => undefined);
    open();
    await this.#save('monitorRegistry', 'cancelled-during-checks-at-once', monitor);
  }

  async #start(registry: string, script: Goes, monitors = this.#monitors): Promise<WorkflowHandle> {
    this.#goes.set(registry, { script, begun: 0 });
    await monitors.configure(registry, pace);
    return this.#handle(registry);
  }

  async #go({ registry }: ChecksTask): Promise<ChecksReport> {
    const goes = this.#goes.get(registry);
    if (goes === undefined) throw new Error(`nobody told what ${registry} answers`);
    const tells = goes.script[goes.begun++] ?? goes.script.at(-1)!;
    return tells();
  }

  #handle(registry: string, runId?: string): WorkflowHandle {
    return this.#lab.client.workflow.getHandle(monitorId(cluster, registry), runId);
  }

  async #until(registry: string, begun: number): Promise<void> {
    await until(async () => this.#goes.get(registry)!.begun >= begun);
  }

  async #becomes(registry: string, reason: string): Promise<void> {
    await until(async () => {
      const status = await this.#monitors.status(registry);
      return status !== 'absent' && status.next.step === 'wait' && status.next.reason === reason;
    });
  }
}

function report(rest: Partial<ChecksReport> = {}): ChecksReport {
  return { v: 1, places: 2, checked: 1, counts: { Available: 2 }, nextDelayMs: 600_000, ...rest };
}

function fails(code: 'invalid' | 'unreachable'): () => never {
  return () => {
    throw new Failure({ code, side: 'cluster', message: 'the record cannot be written' });
  };
}

/**
 * Leader election with a `coordination.k8s.io/v1` Lease, by the rules of client-go, so that replicas of an older
 * release take part:
 *
 * 1. Every `retryMs` read the Lease and remember when, by our own clock, it last changed. Clocks of other hosts
 *    are never compared.
 * 2. If it is ours: renew it. If it is nobody's, or has not changed for its duration: take it. Both under the
 *    version that was read, so of two takers one loses.
 * 3. A leader that could not renew for `renewMs` steps down by itself; that is sooner than others may take over.
 * 4. At the end the Lease is given back, so that the next one need not wait.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { leaseName } from '../../domain/names.js';
import type { Leadership, LeadershipChanges } from '../leadership.js';
import type { Requests } from './requests.js';
import { apiVersionOf, leaseType as type } from './resources.js';

export interface LeaseOptions {
  /** the install namespace */
  readonly namespace: string;
  /** unique per replica: Pod name and a random part */
  readonly identity: string;
  readonly name?: string;
  /** milliseconds a Lease holds without renewal */
  readonly durationMs?: number;
  /** milliseconds a leader keeps leading without a renewal; less than the duration */
  readonly renewMs?: number;
  /** milliseconds between two looks */
  readonly retryMs?: number;
  readonly random?: () => number;
}

interface Lease {
  readonly metadata: { readonly resourceVersion?: string };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export class LeaseLeadership implements Leadership {
  readonly #requests: Requests;
  readonly #options: Required<LeaseOptions>;
  /** version of the Lease and when, by our monotonic clock, we first saw it */
  #seen: { readonly version: string; readonly at: number } | undefined;
  #renewedAt = 0;
  #isLeader = false;
  #term = 0;

  constructor(requests: Requests, options: LeaseOptions) {
    this.#requests = requests;
    this.#options = { name: leaseName, durationMs: 15_000, renewMs: 10_000, retryMs: 2_000, random: Math.random, ...options };
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  /** How often the Lease has changed hands, ours included: orders what successive leaders say. */
  get term(): number {
    return this.#term;
  }

  async run(on: LeadershipChanges, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // an attempt that hangs must not keep a leader from stepping down in time
      const isHeld = await this.#attempt(AbortSignal.any([signal, AbortSignal.timeout(this.#patienceMs())]));
      this.#settle(isHeld || this.#isStillOurs(), on);
      const { retryMs, random } = this.#options;
      await sleep(Math.min(retryMs * (0.8 + 0.4 * random()), this.#patienceMs()), undefined, { signal }).catch(() => {});
    }
    const wasLeader = this.#isLeader;
    this.#settle(false, on);
    if (wasLeader) await this.#giveBack();
  }

  /** @returns whether the Lease is ours now; false when that is not known */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    try {
      const started = performance.now();
      const lease = await this.#read(signal);
      if (!this.#mayTake(lease)) {
        this.#renewedAt = 0; // it is somebody else's: nothing of ours is left to hold on to
        return false;
      }
      await this.#write(lease, signal);
      this.#renewedAt = started;
      return true;
    } catch {
      return false; // away, or somebody was faster: look again soon
    }
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { namespace, name } = this.#options;
    const lease = (await this.#requests.jsonOrNothing({ verb: 'get', type, namespace, name, signal })) as Lease | undefined;
    const version = lease?.metadata.resourceVersion ?? '';
    if (this.#seen?.version !== version) this.#seen = { version, at: performance.now() };
    return lease;
  }

  #mayTake(lease: Lease | undefined): boolean {
    const { holderIdentity, leaseDurationSeconds = this.#options.durationMs / 1000 } = lease?.spec ?? {};
    if (!holderIdentity || holderIdentity === this.#options.identity) return true;
    return performance.now() - (this.#seen?.at ?? 0) > leaseDurationSeconds * 1000;
  }

  async #write(lease: Lease | undefined, signal: AbortSignal): Promise<void> {
    const { namespace, name, identity, durationMs } = this.#options;
    const before = lease?.spec ?? {};
    const isRenewal = before.holderIdentity === identity;
    const now = microTime();
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      acquireTime: isRenewal ? before.acquireTime : now,
      renewTime: now,
      leaseTransitions: (before.leaseTransitions ?? 0) + (isRenewal || lease === undefined ? 0 : 1),
    };
    const body = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: { ...lease?.metadata, namespace, name }, spec };
    if (lease === undefined) await this.#requests.json({ verb: 'create', type, namespace, body, signal });
    else await this.#requests.json({ verb: 'update', type, namespace, name, body, signal });
    this.#term = spec.leaseTransitions;
  }

  /** Others need not wait for the Lease to run out. */
  async #giveBack(): Promise<void> {
    const { namespace, name, identity, renewMs } = this.#options;
    const signal = AbortSignal.timeout(renewMs);
    try {
      const lease = await this.#read(signal);
      if (lease?.spec?.holderIdentity !== identity) return;
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() };
      const body = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: { ...lease.metadata, namespace, name }, spec };
      await this.#requests.json({ verb: 'update', type, namespace, name, body, signal });
    } catch {
      // it runs out by itself
    }
  }

  #isStillOurs(): boolean {
    return this.#isLeader && this.#renewedAt > 0 && performance.now() - this.#renewedAt < this.#options.renewMs;
  }

  /** Milliseconds until a leader must have renewed. */
  #patienceMs(): number {
    const { renewMs } = this.#options;
    return this.#isLeader ? Math.max(1, Math.ceil(renewMs - (performance.now() - this.#renewedAt))) : renewMs;
  }

  #settle(isLeader: boolean, on: LeadershipChanges): void {
    if (this.#isLeader === isLeader) return;
    this.#isLeader = isLeader;
    if (isLeader) on.gained();
    else on.lost();
  }
}

function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}

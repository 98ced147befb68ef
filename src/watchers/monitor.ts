/**
 * Says to Temporal which registries are to be checked, and at what pace. Only differences are sent, and all of it again
 * within the hour: a monitor that was terminated is started again. One that has nothing to check ends by itself.
 */
import type { Pace } from '../domain/check-pace.js';
import { isFailure } from '../domain/failure.js';
import { monitoredHosts, type TrackedImage } from '../domain/monitor.js';

export interface MonitorsDeps {
  readonly configure: (registry: string, settings: Pace & { readonly v: 1 }) => Promise<void>;
  readonly paceOf: (host: string) => Pace;
  readonly onError: (error: unknown) => void;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

const againMs = 50 * 60_000;

export class Monitors {
  readonly #deps: MonitorsDeps;
  /** what was sent, and when, by host */
  readonly #sent = new Map<string, { readonly content: string; readonly at: number }>();
  #isSending = false;

  constructor(deps: MonitorsDeps) {
    this.#deps = deps;
  }

  /** Sends what is different, in the background; what cannot be sent waits for the next look. Only the leader calls it. */
  look(images: readonly TrackedImage[]): void {
    const hosts = monitoredHosts(images);
    for (const host of this.#sent.keys()) if (!hosts.includes(host)) this.#sent.delete(host);
    const due = hosts.filter((host) => this.#isDue(host));
    if (!this.#isSending) void this.#send(due);
  }

  /** Told at once: one that somebody terminated is started again. @throws Failure when nobody answers */
  async start(host: string): Promise<void> {
    const settings = this.#settings(host);
    await this.#deps.configure(host, settings);
    this.#sent.set(host, { content: JSON.stringify(settings), at: this.#deps.now() });
  }

  /** Somebody else led meanwhile, or the database is another one. */
  forget(): void {
    this.#sent.clear();
  }

  #isDue(host: string): boolean {
    const last = this.#sent.get(host);
    return last === undefined || last.content !== JSON.stringify(this.#settings(host)) || this.#deps.now() - last.at >= againMs;
  }

  #settings(host: string): Pace & { readonly v: 1 } {
    const { intervalMs, maxPerInterval } = this.#deps.paceOf(host);
    return { v: 1, intervalMs, maxPerInterval };
  }

  /** One after the other; while nobody answers the rest waits for the next look, too. */
  async #send(hosts: readonly string[]): Promise<void> {
    this.#isSending = true;
    for (const host of hosts) if (!(await this.#tell(host))) break;
    this.#isSending = false;
  }

  /** @returns whether somebody is there: one registry that is refused for ever holds up no other */
  async #tell(host: string): Promise<boolean> {
    try {
      await this.start(host);
      return true;
    } catch (error) {
      this.#deps.onError(error);
      return isFailure(error) && error.code !== 'unreachable' && error.code !== 'timeout';
    }
  }
}

import { LRUCache } from 'lru-cache';
import type { SettingsOf } from './settings.js';

/** What a registry may or may not do; settings of these names override what is learned. */
export interface Capabilities {
  /** DELETE of a tag deletes that tag and no other */
  readonly tagDelete?: boolean;
  /** the list of referrers is the registry's own */
  readonly referrers?: boolean;
  /** blobs are mounted from another repository */
  readonly mount?: boolean;
  /** a small blob may come with the POST that would open an upload */
  readonly singlePost?: boolean;
}

/** A registry may be replaced by a newer one: what was learned is believed for a day. */
export const capabilityMs = 24 * 60 * 60_000;
const mostHosts = 1000;

/** Facts learned about registries, by host: each spares a request that would be refused, and a wrong one costs one. */
export class Learned<Fact extends object> {
  readonly #facts = new LRUCache<string, { readonly fact: Fact; readonly until: number }>({ max: mostHosts });

  constructor(readonly clock: () => number) {}

  get(host: string): Fact | undefined {
    const known = this.#facts.get(host);
    return known === undefined || known.until <= this.clock() ? undefined : known.fact;
  }

  /** The day begins again: what is learned twice is still so. */
  learn(host: string, fact: Fact): void {
    this.#facts.set(host, { fact, until: this.clock() + capabilityMs });
  }
}

/** What registries can do: what the settings say, else what was seen within a day, else undefined. */
export class CapabilityMemory {
  readonly #seen: Learned<Capabilities>;

  constructor(
    readonly settings: SettingsOf,
    clock: () => number,
  ) {
    this.#seen = new Learned(clock);
  }

  can(host: string, what: keyof Capabilities): boolean | undefined {
    return this.settings(host).capabilities?.[what] ?? this.#seen.get(host)?.[what];
  }

  learn(host: string, what: keyof Capabilities, can: boolean): void {
    this.#seen.learn(host, { ...this.#seen.get(host), [what]: can });
  }
}

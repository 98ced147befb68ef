const generationSize = 4096; // two generations of Pod templates, Secret lists, ...: a few MiB at most

/**
 * One copy of equal values. Pods of a workload have the same labels, annotations and containers; kept once, 50,000
 * of them fit into a few MiB.
 *
 * Values in use stay shared; those nobody asked for lately are forgotten here, which only costs a later copy.
 */
export class Shared {
  #young = new Map<string, unknown>();
  #old = new Map<string, unknown>();

  /** @param value plain data, never changed afterwards */
  of<T>(value: T): T {
    const key = JSON.stringify(value);
    const known = (this.#young.get(key) ?? this.#old.get(key)) as T | undefined;
    this.#keep(key, known ?? value);
    return known ?? value;
  }

  #keep(key: string, value: unknown): void {
    this.#young.set(key, value);
    if (this.#young.size < generationSize) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}

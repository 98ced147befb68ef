import type { Digest } from '../../domain/digest.js';
import { isFailure } from '../../domain/failure.js';

const most = 8;
const longest = 256;

/** Said once per image that is reduced although something refers to it. */
export function cannotVerify(index: Digest): string {
  return `signatures of index ${index} cannot verify: the copy has fewer platforms, and another digest`;
}

/** What several steps warned of, each once. */
export function allWarnings(steps: readonly { readonly warnings?: readonly string[] }[]): { readonly warnings?: readonly string[] } {
  const all = new Warnings();
  for (const { warnings = [] } of steps) for (const text of warnings) all.add(text);
  return all.said();
}

/** What did not come along with a copy that is good all the same. */
export class Warnings {
  readonly #texts = new Set<string>();

  add(text: string): void {
    if (this.#texts.size < most) this.#texts.add(text.slice(0, longest));
  }

  /**
   * Does what a copy can do without: a failure becomes a warning, an abort stays an abort.
   *
   * @returns undefined when it failed
   */
  async tolerate<T>(about: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isFailure(error)) throw error;
      this.add(`${about}: ${error.message}`);
      return undefined;
    }
  }

  /** For a result: nothing when there are none. */
  said(): { readonly warnings?: readonly string[] } {
    return this.#texts.size === 0 ? {} : { warnings: [...this.#texts] };
  }
}

import { LRUCache } from 'lru-cache';
import type { Credential, Identity } from '../registry.js';
import { isThrottled } from './errors.js';
import type { Answer } from './answer.js';

/** Refusals that may depend on who asks: private repositories hide behind 404. */
const dependsOnIdentity: readonly number[] = [401, 403, 404];

/** Tries credentials in order and remembers which one worked, per Secret versions and resource. */
export class Identities {
  readonly #worked = new LRUCache<string, number>({ max: 5000 });

  /**
   * @param resource what is asked for: credentials work for a repository, not for a host
   * @param tryNextOn statuses after which the next credential is tried
   * @returns the first answer that is no refusal, else the first refusal: it decides what is reported
   */
  async firstThatWorks(as: Identity, resource: string, ask: (credential: Credential | undefined) => Promise<Answer>, tryNextOn = dependsOnIdentity): Promise<Answer> {
    const memory = `${resource} ${as.map(({ id }) => id).join(' ')}`;
    const [head, ...rest] = this.#inOrder(as, memory);
    const first = await ask(head);
    if (isFinal(first, tryNextOn)) return first;

    for (const credential of rest) {
      const answer = await ask(credential);
      if (answer.status < 400) this.#worked.set(memory, as.indexOf(credential!));
      if (isFinal(answer, tryNextOn)) return answer.status < 400 ? answer : first;
    }
    return first;
  }

  #inOrder(as: Identity, memory: string): readonly (Credential | undefined)[] {
    if (as.length === 0) return [undefined];
    const worked = as[this.#worked.get(memory) ?? 0];
    return worked === undefined ? as : [worked, ...as.filter((credential) => credential !== worked)];
  }
}

function isFinal(answer: Answer, tryNextOn: readonly number[]): boolean {
  return isThrottled(answer) || !tryNextOn.includes(answer.status);
}

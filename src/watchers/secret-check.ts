import type { Secret } from '../domain/secret.js';
import { isFailure } from '../domain/failure.js';
import type { Rule, SecretRef } from '../domain/rule.js';

export interface SecretProblem {
  readonly secret: SecretRef;
  /** `denied`: kuik is not allowed to read it, which no waiting heals */
  readonly problem: 'missing' | 'unusable' | 'denied';
}

export interface SecretCheckDeps {
  readonly read: (ref: SecretRef) => Promise<Secret | undefined>;
  /** whether a Secret offers no credential at all */
  readonly isUnusable: (secret: Secret) => boolean;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

/** A Secret that appears or vanishes shows within this time; reading is one request each, and nothing is watched. */
const lookAgainMs = 20_000;

/** Looks at the Secrets rules name, each at most every 20 s. */
export class SecretCheck {
  readonly #deps: SecretCheckDeps;
  readonly #seen = new Map<string, { readonly at: number; readonly problem?: SecretProblem['problem'] }>();

  constructor(deps: SecretCheckDeps) {
    this.#deps = deps;
  }

  /** What is wrong with the Secrets of a rule. A Secret that cannot be read just now keeps what was known of it. */
  async problemsOf(rule: Rule): Promise<SecretProblem[]> {
    const found = await Promise.all(secretsOf(rule).map(async (secret) => ({ secret, problem: await this.#problem(secret) })));
    return found.filter((item): item is SecretProblem => item.problem !== undefined);
  }

  async #problem(ref: SecretRef): Promise<SecretProblem['problem'] | undefined> {
    const key = `${ref.namespace}/${ref.name}`;
    const now = this.#deps.now();
    const known = this.#seen.get(key);
    if (known !== undefined && now - known.at < lookAgainMs) return known.problem;
    try {
      const problem = await this.#look(ref);
      this.#seen.set(key, { at: now, problem });
      return problem;
    } catch {
      return known?.problem;
    }
  }

  async #look(ref: SecretRef): Promise<SecretProblem['problem'] | undefined> {
    try {
      const secret = await this.#deps.read(ref);
      if (secret === undefined) return 'missing';
      return this.#deps.isUnusable(secret) ? 'unusable' : undefined;
    } catch (error) {
      if (isFailure(error) && error.code === 'denied') return 'denied';
      throw error;
    }
  }
}

/** Every Secret a rule names, each once. */
export function secretsOf(rule: Rule): SecretRef[] {
  const named =
    rule.type === 'mirror'
      ? rule.mirrors.flatMap(({ credentialSecret, pullSecret }) => [credentialSecret, pullSecret])
      : rule.type === 'replica'
        ? rule.upstreams.map(({ credentialSecret }) => credentialSecret)
        : [];
  const byName = new Map(named.filter((ref) => ref !== undefined).map((ref) => [`${ref.namespace}/${ref.name}`, ref]));
  return [...byName.values()];
}

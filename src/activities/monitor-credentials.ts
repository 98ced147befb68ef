/**
 * Finds the credentials an image is checked with: those of a Pod that uses it, since the question is whether that Pod
 * could be started again.
 *
 * @see docs/concepts/monitor.md, docs/adr/0033-secrets-for-other-registries-are-passed-over.md
 */
import { isFailure } from '../domain/failure.js';
import { selectsImage } from '../domain/filter.js';
import { knownImageRef, type ImageName, type ImageRef } from '../domain/image-ref.js';
import { seesUser } from '../domain/monitor.js';
import { compareTexts } from '../domain/rank.js';
import { isInForce, type Rule, type SecretRef } from '../domain/rule.js';
import type { Pod } from '../domain/usage.js';
import type { Secret } from '../domain/secret.js';
import type { Identity } from '../registry/registry.js';

/** Whose credentials an image is checked with. */
export interface CheckAccess {
  readonly as: Identity;
  /** why it is checked anonymously although a Secret is named */
  readonly problem?: string;
}

/** @throws Failure side `cluster` when Secrets cannot be asked for at all */
export type CheckCredentials = (images: readonly ImageName[], at: ImageRef) => Promise<CheckAccess>;

export interface CheckCredentialSources {
  readonly rules: () => readonly Rule[];
  /** those that no opt-out covers; where templates of workloads count, those that name it as well */
  readonly podsUsing: (image: ImageName) => readonly Pod[];
  /** names of the rules that track an image already */
  readonly trackedBy: (image: ImageName) => readonly string[];
  readonly secret: (ref: SecretRef) => Promise<Secret | undefined>;
  /** credentials of Secrets that fit a repository, in order */
  readonly keyring: (secrets: readonly Secret[], repository: ImageRef) => Identity;
  /** why a Secret offers nothing to anybody; undefined when it offers something, whatever for */
  readonly unusable: (secret: Secret) => string | undefined;
  /** the Secret configured for a host */
  readonly fallback: (host: string) => SecretRef | undefined;
}

const mostPods = 16; // Pods of a workload name the same Secrets; each set is read once

/**
 * In this order: of the Pods in scope that name pull Secrets, by namespace and name, the first whose Secrets can all be
 * read and have something for the registry; the same of templates; the host's fallback; nobody's.
 */
export function createCheckCredentials({ rules, podsUsing, trackedBy, secret, keyring, unusable, fallback }: CheckCredentialSources): CheckCredentials {
  return async (images, at) => {
    const fallbackSecret = fallback(at.host);
    const sets = [...secretSets(podsInScope(images)), ...(fallbackSecret === undefined ? [] : [[fallbackSecret]])];
    let problem: string | undefined;
    for (const refs of sets) {
      const found = await readAll(refs);
      if (typeof found === 'string') problem ??= found;
      else {
        const as = keyring(found, at);
        if (as.length > 0) return { as };
        problem ??= problemOf(found);
      }
    }
    return { as: [], ...(problem === undefined ? {} : { problem }) };
  };

  /** A Secret that is no docker configuration may be the one that was meant for the registry. */
  function problemOf(secrets: readonly Secret[]): string | undefined {
    for (const each of secrets) {
      const why = unusable(each);
      if (why !== undefined) return `secret ${each.namespace}/${each.name}: ${why}`;
    }
    return undefined;
  }

  /** Of each image those that a rule sees which selects it: whose Pods another rule sees is no business of this one. */
  function podsInScope(images: readonly ImageName[]): readonly Pod[] {
    const monitors = rules().filter((rule) => rule.type === 'monitor').filter(isInForce);
    return images.flatMap((image) => {
      const tracking = monitors.filter((rule) => selectsImage(rule.images, knownImageRef(image)));
      const known = trackedBy(image);
      return podsUsing(image).filter((pod) => tracking.some((rule) => seesUser(rule, pod, known)));
    });
  }

  /** @returns what is wrong with the first that cannot be read */
  async function readAll(refs: readonly SecretRef[]): Promise<readonly Secret[] | string> {
    const read = await Promise.all(refs.map(readOne));
    return read.find((found) => typeof found === 'string') ?? read.filter((found) => typeof found !== 'string');
  }

  async function readOne(ref: SecretRef): Promise<Secret | string> {
    const name = `secret ${ref.namespace}/${ref.name}`;
    try {
      return (await secret(ref)) ?? `${name} not found`;
    } catch (error) {
      // a right that is missing is a matter of this Secret; an API server that is away is not
      if (!isFailure(error) || (error.code !== 'denied' && error.code !== 'unauthorized')) throw error;
      return `${name} cannot be read`;
    }
  }
}

/** The Secrets of each Pod that names some, each set once, by namespace and name of the Pod; those of templates come last. */
function secretSets(pods: readonly Pod[]): readonly (readonly SecretRef[])[] {
  const sets = new Map<string, readonly SecretRef[]>();
  for (const { namespace, pullSecrets } of [...pods].sort(byName)) {
    const key = JSON.stringify([namespace, ...pullSecrets]);
    if (pullSecrets.length > 0 && !sets.has(key)) sets.set(key, pullSecrets.map((name) => ({ namespace, name })));
  }
  return [...sets.values()].slice(0, mostPods);
}

function byName(one: Pod, other: Pod): number {
  return Number(one.workload !== undefined) - Number(other.workload !== undefined) || compareTexts(one.key, other.key);
}

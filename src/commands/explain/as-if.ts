/** `--as-if`: the probe answers as told for some registries; everything else is decided as it is. */
import { Failure, type FailureCode } from '../../domain/failure.js';
import type { PlaceId } from '../../domain/image-ref.js';
import type { Registry } from '../../registry/registry.js';
import type { RouteDeps } from '../../webhook/route.js';
import { registryHost } from '../registry-host.js';

/** What can be pretended of a registry, and what a probe would have met. */
const pretences = { down: 'unreachable', throttled: 'throttled', missing: 'missing', unauthorized: 'unauthorized', denied: 'denied' } as const satisfies Readonly<Record<string, FailureCode>>;

export type Pretence = keyof typeof pretences;

/** By host, as image references have it. */
export type AsIf = ReadonlyMap<string, Pretence>;

/** @returns what is wrong with the first text that is, as a text */
export function readAsIf(texts: readonly string[]): AsIf | string {
  const asIf = new Map<string, Pretence>();
  for (const each of texts) {
    const [written = '', state = ''] = each.split('=', 2);
    const host = registryHost(written);
    if (host === undefined) return `--as-if ${each}: ${JSON.stringify(written)} is no registry; write its host[:port] as images do, such as docker.io=down`;
    if (!isPretence(state)) return `--as-if ${each}: write ${host}= and one of ${Object.keys(pretences).join(', ')}`;
    asIf.set(host, state);
  }
  return asIf;
}

export function asIfText(host: string, pretence: Pretence): string {
  return pretence === 'missing' ? `as if ${host} lacked it` : pretence === 'unauthorized' || pretence === 'denied' ? `as if ${host} refused our credentials` : `as if ${host} were ${pretence}`;
}

/** A registry client that finds some registries in the state somebody imagines; they are not contacted. */
export function pretending(registry: Pick<Registry, 'head'>, asIf: AsIf): Pick<Registry, 'head'> {
  return {
    head: async (at, as, call) => {
      const pretence = asIf.get(at.host);
      if (pretence === undefined) return registry.head(at, as, call);
      throw new Failure({ code: pretences[pretence], side: call.side, host: at.host, message: asIfText(at.host, pretence) });
    },
  };
}

/** What records know of such a registry is not true there. */
export function forgetful(records: RouteDeps['records'], asIf: AsIf): RouteDeps['records'] {
  return {
    at: (place) => records.at(place),
    holder: (destination) => records.holder(destination),
    isRetiring: (place) => records.isRetiring(place),
    fact: (place) => (asIf.has(hostOfPlace(place)) ? undefined : records.fact(place)),
  };
}

function hostOfPlace(place: PlaceId): string {
  return place.slice(0, place.indexOf('/'));
}

function isPretence(text: string): text is Pretence {
  return Object.hasOwn(pretences, text);
}

import type { FailureCode, FailureInfo } from '../domain/failure.js';
import type { ImageRef } from '../domain/image-ref.js';
import { mirrorPlace } from '../domain/join.js';
import type { Rule } from '../domain/rule.js';

export interface RegistryCheckDeps {
  /** asks a registry for an image nobody has; anything it answers is an answer */
  readonly ask: (at: ImageRef) => Promise<FailureInfo | undefined>;
  /** an answer came, or its time was over: statuses may say something else now */
  readonly onAnswer: () => void;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

/** How the registries of a rule stand, as far as its readiness goes. */
export interface RegistryLook {
  /** every registry was asked and has answered, or its time was over */
  readonly isDone: boolean;
  readonly silent: readonly FailureInfo[];
}

type Seen = { readonly at: number; readonly isAsking: boolean; readonly failure?: FailureInfo; readonly answered: boolean };

const askAgainMs = 15_000;
/** an answer this old says nothing of a rule that is new */
const freshMs = 60_000;
const allWell: RegistryLook = { isDone: true, silent: [] };

/**
 * Whether the registries a rule names have answered since it is as it is. Asked once per rule and generation, each host
 * once for all of them; afterwards outages are told by the copies, and never make a rule unready.
 */
export class RegistryCheck {
  readonly #deps: RegistryCheckDeps;
  /** by host */
  readonly #seen = new Map<string, Seen>();
  /** generation in which all registries of a rule have answered, by UID */
  readonly #done = new Map<string, number>();

  constructor(deps: RegistryCheckDeps) {
    this.#deps = deps;
  }

  /** @param wasReady the status says so already, of this generation */
  look(rule: Rule, wasReady: boolean): RegistryLook {
    const places = placesOf(rule);
    if (places.length === 0 || rule.suspended || this.#done.get(rule.id.uid) === rule.generation) return allWell;
    const seen = wasReady ? [] : places.map((place) => this.#ask(place));
    const silent = seen.flatMap(({ failure }) => failure ?? []);
    const isDone = seen.every(({ answered, failure }) => answered || failure !== undefined);
    if (isDone && silent.length === 0) this.#done.set(rule.id.uid, rule.generation);
    return { isDone, silent };
  }

  /** What is known of a host; asks when that is nothing, or too old. */
  #ask(at: ImageRef): Seen {
    const { now } = this.#deps;
    const known = this.#seen.get(at.host);
    if (known?.isAsking === true) return known;
    if (known !== undefined && now() - known.at < (known.answered ? freshMs : askAgainMs)) return known;

    // an old answer no longer counts; an old failure does, until there is something better
    const asking: Seen = { at: now(), isAsking: true, answered: false, ...(known?.failure === undefined ? {} : { failure: known.failure }) };
    this.#seen.set(at.host, asking);
    void this.#deps.ask(at).then((failure) => {
      this.#seen.set(at.host, { at: now(), isAsking: false, answered: failure === undefined, ...(failure === undefined ? {} : { failure }) });
      this.#deps.onAnswer();
    });
    return asking;
  }
}

/** Whether a failure is an answer: a registry that refuses, limits or misses something is there. */
export function isAnswer({ code }: Pick<FailureInfo, 'code'>): boolean {
  return !silences.includes(code);
}

const silences: readonly FailureCode[] = ['unreachable', 'timeout', 'tls', 'invalid'];

/** A name nobody uses at every registry of a rule, one per host. */
function placesOf(rule: Rule): ImageRef[] {
  const locations = rule.type === 'mirror' ? rule.mirrors : rule.type === 'replica' ? rule.upstreams.map((upstream) => ({ ...upstream, layout: 'path' as const })) : [];
  const places = locations.map((location) => mirrorPlace(location, nobody)).filter((place) => place !== undefined);
  return [...new Map(places.map((place) => [place.host, place])).values()];
}

const nobody: ImageRef = { host: 'docker.io', path: 'kuik/is-this-registry-there', tag: 'latest' };

/** Faults as data: which request, and what goes wrong with it. */

/** What a request is about. */
export type Route = 'manifest' | 'blob' | 'mount' | 'upload' | 'tags' | 'referrers' | 'token' | 'second' | 'other';

/**
 * "The 2nd PUT of a blob: cut after 1 MiB" is
 * `{ on: { route: 'upload', method: 'PUT' }, from: 2, does: { cutRequestAfter: 1024 * 1024 } }`.
 */
export interface Fault {
  readonly on: {
    readonly route?: Route;
    readonly method?: string;
    /** part of path and query */
    readonly path?: string;
  };
  /** the first request of its kind that it meets, counted from 1 when the fault is set; 1 unless told */
  readonly from?: number;
  /** how many requests it meets; 1 unless told */
  readonly times?: number;
  readonly does: Damage;
}

export interface Damage {
  /** answers this instead of doing anything */
  readonly status?: number;
  /** body of that answer */
  readonly body?: string | Uint8Array;
  /** headers of whatever answer there is; undefined removes one */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** ends the connection after so many bytes of the answer's body */
  readonly cutAnswerAfter?: number;
  /** ends the connection after so many bytes of the request's body */
  readonly cutRequestAfter?: number;
  /** answers after so many bytes of the request's body, while the rest still comes */
  readonly answersAfter?: number;
  /** does what was asked, and ends the connection instead of saying so */
  readonly silent?: true;
  /** ends the connection before any answer */
  readonly reset?: true;
  /** changes bytes of the answer's body */
  readonly spoil?: true;
  /** puts these bytes in the place of the answer's body, with their length */
  readonly swap?: Uint8Array;
  /** leaves so many bytes of the answer's body, with their length */
  readonly truncate?: number;
  /** adds bytes to the answer's body */
  readonly append?: string | Uint8Array;
  /** sends this after the headers instead of the body, for as long as somebody reads: floods, bombs */
  readonly flood?: () => Iterable<Uint8Array>;
  /** sends the body in pieces with a pause between them */
  readonly drip?: { readonly bytes: number; readonly everyMs: number };
  /** redirects to the same path of the second origin, which answers blobs of this registry */
  readonly redirect?: 'second';
  /** answers only when this is done */
  readonly after?: Promise<unknown>;
  /** answers so much later */
  readonly delayMs?: number;
}

export class Script {
  readonly #faults: { readonly fault: Fault; met: number }[] = [];

  add(fault: Fault): void {
    this.#faults.push({ fault, met: 0 });
  }

  clear(): void {
    this.#faults.length = 0;
  }

  /** The damage that this request takes; several faults add up. */
  next(route: Route, method: string, path: string): Damage {
    let damage: Damage = {};
    for (const entry of this.#faults) {
      const { on, from = 1, times = 1, does } = entry.fault;
      const isMet = (on.route ?? route) === route && (on.method ?? method) === method && path.includes(on.path ?? '');
      if (!isMet) continue;
      entry.met++;
      if (entry.met >= from && entry.met < from + times) damage = { ...damage, ...does };
    }
    return damage;
  }
}

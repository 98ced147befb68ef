import type { Change, WatchHealth, WatchedKind } from '../cluster.js';

interface Subscriber<T> {
  readonly pending: Change<T>[];
  readonly onChange: (change: Change<T>) => void;
  handlerErrors: number;
  steadySince: number | undefined;
}

/**
 * The objects of one kind and those who watch them. Changes are delivered in order, in a later microtask, so
 * that a handler which writes is never called inside its own call; just like with a real server.
 */
export class Collection<T> {
  readonly #kind: WatchedKind;
  readonly #now: () => number;
  readonly #objects = new Map<string, T>();
  readonly #subscribers = new Set<Subscriber<T>>();
  #isHeld = false;

  constructor(kind: WatchedKind, now: () => number) {
    this.#kind = kind;
    this.#now = now;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  all(): T[] {
    return [...this.#objects.values()];
  }

  put(key: string, object: T): void {
    this.#objects.set(key, object);
    this.#announce({ type: 'put', key, object });
  }

  remove(key: string): void {
    if (this.#objects.delete(key)) this.#announce({ type: 'gone', key });
  }

  watch(onChange: (change: Change<T>) => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const first = [...this.#objects].map(([key, object]): Change<T> => ({ type: 'put', key, object }));
    const subscriber: Subscriber<T> = { pending: [...first, { type: 'synced' }], onChange, handlerErrors: 0, steadySince: this.#isHeld ? undefined : this.#now() };
    this.#subscribers.add(subscriber);
    this.#deliverSoon(subscriber);

    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener(
      'abort',
      () => {
        this.#subscribers.delete(subscriber);
        resolve();
      },
      { once: true },
    );
    return promise;
  }

  /** Keeps changes back, as a cut connection does; they arrive when it is released. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    for (const subscriber of this.#subscribers) subscriber.steadySince = isHeld ? undefined : (subscriber.steadySince ?? this.#now());
    if (!isHeld) for (const subscriber of this.#subscribers) this.#deliverSoon(subscriber);
  }

  health(): WatchHealth[] {
    return [...this.#subscribers].map((subscriber) => ({
      kind: this.#kind,
      connected: !this.#isHeld,
      listedAt: this.#now(),
      ...(subscriber.steadySince === undefined ? {} : { steadySince: subscriber.steadySince }),
      objects: this.#objects.size,
      handlerErrors: subscriber.handlerErrors,
      unreadable: 0,
    }));
  }

  get isSettled(): boolean {
    return this.#isHeld || [...this.#subscribers].every(({ pending }) => pending.length === 0);
  }

  #announce(change: Change<T>): void {
    for (const subscriber of this.#subscribers) {
      subscriber.pending.push(change);
      this.#deliverSoon(subscriber);
    }
  }

  #deliverSoon(subscriber: Subscriber<T>): void {
    queueMicrotask(() => this.#deliver(subscriber));
  }

  #deliver(subscriber: Subscriber<T>): void {
    while (!this.#isHeld && this.#subscribers.has(subscriber)) {
      const change = subscriber.pending.shift();
      if (change === undefined) return;
      try {
        subscriber.onChange(change);
      } catch {
        subscriber.steadySince = this.#now();
        subscriber.handlerErrors += 1; // a watch outlives its handlers' mistakes
      }
    }
  }
}

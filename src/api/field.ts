import type { Problem } from '../domain/rule.js';

/** What a problem is called and what it disables, unless a reader says otherwise. */
export type Blame = Pick<Problem, 'reason' | 'disables'>;

/**
 * One field of an object somebody else wrote: what stands there, and where. Reading never throws: a value of
 * the wrong type is noted as a problem of that field and counts as absent, so one wrong field spoils no other.
 */
export class Field {
  readonly value: unknown;

  /**
   * @param value from JSON; `null` counts as absent, as it does for the API server
   * @param path how messages name the field: `spec.mirrors[0].path`
   * @param problems receives what is wrong with this field and those below it
   */
  constructor(
    value: unknown,
    readonly path: string,
    private readonly problems: Problem[],
    private readonly blame: Blame = { reason: 'InvalidSpec', disables: 'rule' },
  ) {
    this.value = value ?? undefined;
  }

  /** The same field with another consequence, and perhaps another list for its problems. */
  blaming(blame: Partial<Blame>, problems = this.problems): Field {
    return new Field(this.value, this.path, problems, { ...this.blame, ...blame });
  }

  isPresent(): boolean {
    return this.value !== undefined;
  }

  get(key: string): Field {
    const object = this.object();
    return this.below(object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined, `.${key}`);
  }

  /** The items of this list; none when it is absent. */
  items(): readonly Field[] {
    if (this.value === undefined) return [];
    if (!Array.isArray(this.value)) return this.wrongType('a list') ?? [];
    return this.value.map((item: unknown, index) => this.below(item, `[${index}]`));
  }

  text(): string | undefined {
    if (this.value === undefined || typeof this.value === 'string') return this.value;
    return this.wrongType('a text');
  }

  boolean(): boolean | undefined {
    if (this.value === undefined || typeof this.value === 'boolean') return this.value;
    return this.wrongType('true or false');
  }

  /** A whole number; beyond ±(2^53 - 1) it saturates. */
  integer(): number | undefined {
    if (this.value === undefined) return undefined;
    if (typeof this.value !== 'number' || !Number.isInteger(this.value)) return this.wrongType('a whole number');
    return Math.min(Math.max(this.value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  }

  oneOf<T extends string>(values: readonly T[]): T | undefined {
    const text = this.text();
    if (text === undefined) return undefined;
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) this.note(`is ${quote(text)}; write one of ${values.join(', ')}`);
    return value;
  }

  /** Notes a problem. `what` follows the name of the field: `is "7d"; write a duration such as 168h`. */
  note(what: string, blame: Partial<Blame> = {}): void {
    const problem: Problem = { ...this.blame, ...blame, field: this.path, message: `${this.path} ${what}` };
    // a wrong object is found again through each of its fields
    if (!this.problems.some(({ message }) => message === problem.message)) this.problems.push(problem);
  }

  private object(): Readonly<Record<string, unknown>> | undefined {
    if (this.value === undefined) return undefined;
    if (typeof this.value === 'object' && !Array.isArray(this.value)) return this.value as Record<string, unknown>;
    return this.wrongType('an object');
  }

  private below(value: unknown, step: string): Field {
    return new Field(value, this.path + step, this.problems, this.blame);
  }

  private wrongType(wanted: string): undefined {
    this.note(`is ${typeName(this.value)}; write ${wanted}`);
    return undefined;
  }
}

/** A text as messages show it: quoted, and never longer than a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 128 ? `${text.slice(0, 127)}…` : text);
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `the text ${quote(value)}`;
  return typeof value === 'object' ? 'an object' : JSON.stringify(value);
}

/** A request that was understood, and what is answered to it. */
export interface Ask {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** the connection ended before the body did; nobody reads the answer */
  readonly isCut?: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** Status and code that something is refused with. */
export type Refusal = readonly [status: number, code: string];

export function refuse([status, code]: Refusal): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify({ errors: [{ code, message: `test says ${code}` }] })) };
}

export function json(document: unknown, headers: Readonly<Record<string, string>> = {}, mediaType = 'application/json'): Reply {
  return { status: 200, headers: { 'content-type': mediaType, ...headers }, body: Buffer.from(JSON.stringify(document)) };
}

export function headerOf(ask: Pick<Ask, 'headers'>, name: string): string | undefined {
  const value = ask.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** What only people ask for: objects of any kind as the API server has them. Decisions read projections. */
import { isFailure } from '../../domain/failure.js';
import type { Requests } from './requests.js';
import type { ResourceType } from './resources.js';

/** An object as it is in a manifest. */
export interface ApiObject {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
  };
  readonly [field: string]: unknown;
}

export interface ObjectQuery {
  /** every one unless told */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

const pageSize = 500;

/**
 * All objects of a kind that the query selects.
 *
 * @returns undefined when the API server does not know the kind
 * @throws Failure side `cluster`
 */
export async function listObjects(requests: Requests, type: ResourceType, { namespace, ...query }: ObjectQuery = {}): Promise<readonly ApiObject[] | undefined> {
  const found: ApiObject[] = [];
  let ticket: string | undefined;
  do {
    const call = { verb: 'list', type, namespace, query: { ...query, limit: pageSize, continue: ticket } } as const;
    const answer = (await requests.json(call).catch(unknownKind)) as ObjectList | undefined;
    if (answer === undefined) return undefined;
    // items of a typed list need not say what they are
    found.push(...(answer.items ?? []).map((item) => ({ kind: type.kind, ...item })));
    ticket = answer.metadata?.continue || undefined;
  } while (ticket !== undefined);
  return found;
}

interface ObjectList {
  readonly metadata?: { readonly continue?: string };
  readonly items?: readonly ApiObject[];
}

function unknownKind(error: unknown): undefined {
  if (isFailure(error) && error.code === 'missing') return undefined;
  throw error;
}

/** Addresses inside Temporal's UI. */
import type { PlaceId } from '../../domain/image-ref.js';
import { joinedText } from '../../domain/join.js';
import type { MirrorRule } from '../../domain/rule.js';
import { workflowIds } from '../../temporal/workflow-ids.js';

/** Where the UI answers, and which namespace of Temporal is ours. */
export interface UiPlace {
  readonly port: number;
  readonly namespace: string;
}

/** The list of workflows, or of those a query finds. */
export function listAddress({ port, namespace }: UiPlace, query?: string): string {
  const base = `http://127.0.0.1:${port}/namespaces/${encodeURIComponent(namespace)}/workflows`;
  return query === undefined ? base : `${base}?query=${encodeURIComponent(query)}`;
}

/** The history of one copy; of several, the list of their keepers and operations. */
export function imageAddress(place: UiPlace, destinations: readonly PlaceId[]): string {
  const [only, ...more] = destinations;
  if (only !== undefined && more.length === 0) return `${listAddress(place)}/${encodeURIComponent(workflowIds(only).keeper)}`;
  const ids = destinations.map(workflowIds).flatMap(({ keeper, task }) => [keeper, task]);
  return listAddress(place, ids.map((id) => `WorkflowId=${JSON.stringify(id)}`).join(' OR '));
}

/** Everything below the prefixes of a rule; IDs of long names are cut behind them. */
export function ruleAddress(place: UiPlace, { mirrors }: Pick<MirrorRule, 'mirrors'>): string {
  const prefixes = mirrors.flatMap((mirror) => joinedText(mirror) ?? []);
  return listAddress(place, prefixes.map((prefix) => `WorkflowId STARTS_WITH ${JSON.stringify(`keep/${prefix}/`)}`).join(' OR '));
}

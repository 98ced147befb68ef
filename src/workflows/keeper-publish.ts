import { patched, setCurrentDetails } from '@temporalio/workflow';
import { isLive, liveClaims } from '../domain/claims.js';
import { expiryOfCopy } from '../domain/keeper-deletion.js';
import { phaseOf, type Step } from '../domain/keeper.js';
import type { KeeperState } from '../domain/keeper-state.js';
import { statusOf, storyOf, whereIs } from '../domain/keeper-story.js';
import { createAttributes, type Attributes } from './attributes.js';

/** Shows people where a keeper stands: search attributes for lists, details for its page. */
export type Publisher = (state: KeeperState, step: Step) => void;

export function createPublisher({ searchable }: KeeperState): Publisher {
  const upsert = createAttributes(searchable);
  // asked once, before anything is published: a run keeps to what it began with
  const namesAll = patched('clusters-known');
  return (state, step) => {
    const now = Date.now();
    upsert(attributesOf(state, namesAll, now));
    setCurrentDetails(storyOf(statusOf(state, step, now)));
  };
}

function attributesOf(state: KeeperState, namesAll: boolean, now: number): Attributes {
  const { host, repository } = whereIs(state.destination);
  const source = state.copy?.outcome.source ?? state.claims.find((held) => isLive(held, now))?.claim?.image;
  const expiry = expiryOfCopy(state, now);
  return {
    KuikPhase: phaseOf(state, now),
    KuikRegistry: host,
    KuikRepository: repository,
    KuikSourceRegistry: source === undefined ? null : whereIs(source).host,
    KuikErrorType: state.failure?.info.code ?? null,
    // also those whose claim is over: they are asked before a deletion, and found when they are to be forgotten
    KuikClusters: (namesAll ? state.claims.filter(({ forgotten }) => forgotten !== true) : liveClaims(state.claims, now)).map(({ cluster }) => cluster),
    KuikUnusedSince: expiry === undefined ? null : new Date(expiry.unusedSince),
    KuikBytes: state.copy?.outcome.bytes ?? null,
  };
}

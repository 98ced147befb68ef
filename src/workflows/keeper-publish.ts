import { setCurrentDetails } from '@temporalio/workflow';
import { isLive, liveClaims } from '../domain/claims.js';
import { phaseOf, type KeeperState, type Step } from '../domain/keeper.js';
import { statusOf, storyOf, whereIs } from '../domain/keeper-story.js';
import { expiryOf } from '../domain/retain.js';
import { createAttributes, type Attributes } from './attributes.js';

/** Shows people where a keeper stands: search attributes for lists, details for its page. */
export type Publisher = (state: KeeperState, step: Step) => void;

export function createPublisher({ searchable }: KeeperState): Publisher {
  const upsert = createAttributes(searchable);
  return (state, step) => {
    const now = Date.now();
    upsert(attributesOf(state, now));
    setCurrentDetails(storyOf(statusOf(state, step, now)));
  };
}

function attributesOf(state: KeeperState, now: number): Attributes {
  const { host, repository } = whereIs(state.destination);
  const source = state.copy?.outcome.source ?? state.claims.find((held) => isLive(held, now))?.claim?.image;
  const expiry = expiryOf(state.claims, state.bornAt, now, state.pace);
  return {
    KuikPhase: phaseOf(state, now),
    KuikRegistry: host,
    KuikRepository: repository,
    KuikSourceRegistry: source === undefined ? null : whereIs(source).host,
    KuikErrorType: state.failure?.info.code ?? null,
    KuikClusters: liveClaims(state.claims, now).map(({ cluster }) => cluster),
    KuikUnusedSince: expiry === undefined ? null : new Date(expiry.unusedSince),
    KuikBytes: state.copy?.outcome.bytes ?? null,
  };
}

/** Every reason an event can have, beside those of routing and of failures; the rest of each is the reference page. */
import type { failures, FailureCode } from './failure.js';
import type { ToldReason } from './pod-news.js';

export interface EventHelp {
  /** the verb */
  readonly action: 'Mirror' | 'Monitor' | 'Retain' | 'ReconcileSkipped';
  readonly type: 'Normal' | 'Warning';
  /** which objects it is on, for people */
  readonly on: string;
  readonly help: string;
}

const onRecord = 'the record';
const onBoth = 'the record, and the rule';
const onRule = 'the rule';

export const eventReasons = {
  Mirrored: { action: 'Mirror', type: 'Normal', on: onBoth, help: 'A verified copy became visible.' },
  ImageUnavailable: { action: 'Monitor', type: 'Warning', on: 'the record, and the rules that track the image', help: 'A check found that an image cannot be pulled any more. The note says why.' },
  ImageAvailable: { action: 'Monitor', type: 'Normal', on: 'the record, and the rules that track the image', help: 'An image that could not be pulled can be pulled again.' },
  RegistryThrottled: { action: 'Monitor', type: 'Warning', on: 'the record, and the rules that track the image', help: 'A registry limits how often we may ask: whether the image is there is not known until it answers again.' },
  TagDrifted: { action: 'Monitor', type: 'Warning', on: onBoth, help: 'The tag of an origin names other content than was copied.' },
  DestinationChanged: { action: 'Monitor', type: 'Warning', on: onBoth, help: 'A destination holds content that kuik did not write.' },
  Expiring: { action: 'Retain', type: 'Normal', on: onRecord, help: 'A copy is about to be deleted; no Pod is sent there any more.' },
  Deleted: { action: 'Retain', type: 'Normal', on: onRecord, help: 'A copy is gone.' },
  DeletionBlocked: { action: 'Retain', type: 'Warning', on: onRecord, help: 'A copy that nobody uses stays. The note says why; it is tried again daily.' },
  CleanupSkipped: { action: 'Retain', type: 'Warning', on: onRule, help: 'A deleted rule was let go before its work was done. The note says what is left.' },
  InvalidFilter: { action: 'ReconcileSkipped', type: 'Warning', on: onRule, help: 'A pattern or selector cannot be read, so the rule is out of force.' },
  InvalidSpec: { action: 'ReconcileSkipped', type: 'Warning', on: onRule, help: 'A field cannot be read, so the rule is out of force.' },
  InvalidUpstream: { action: 'ReconcileSkipped', type: 'Warning', on: onRule, help: 'No upstream can be read, so the rule is out of force.' },
  CredentialMissing: { action: 'ReconcileSkipped', type: 'Warning', on: onRule, help: 'A Secret that the rule names does not exist.' },
} as const satisfies Readonly<Record<string, EventHelp>>;

/** What an event says happened: nothing else compiles. */
export type EventReason = keyof typeof eventReasons | ToldReason | (typeof failures)[FailureCode]['reason'];

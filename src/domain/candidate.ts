import type { ImageRef, PlaceId } from './image-ref.js';
import type { PlaceRole } from './record.js';
import type { RuleId, SecretRef } from './rule.js';

/** A place, ranked for one container. */
export interface Candidate {
  readonly place: PlaceId;
  readonly ref: ImageRef;
  /** canonical text of the place: what a rewritten container gets */
  readonly text: string;
  readonly role: PlaceRole;
  /** the rule that offers it; none for the origin */
  readonly rule?: RuleId;
  readonly priority: number;
  readonly itemPriority: number;
  /** position in the rule's list */
  readonly index: number;
  /** what a Pod needs to pull from here: the rule's `pullSecret`, else its `credentialSecret` */
  readonly secret?: SecretRef;
}

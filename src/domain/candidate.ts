import type { ImageName, ImageRef, PlaceId } from './image-ref.js';
import type { PlaceRole } from './record.js';
import type { RuleId, SecretRef } from './rule.js';

/** A place, ranked for one container. */
export interface Candidate {
  readonly place: PlaceId;
  readonly ref: ImageRef;
  /** canonical text of the place: what a rewritten container gets */
  readonly text: string;
  readonly role: PlaceRole;
  /** the image it is a copy of: the usage's own, or for a mirror of a replica that replica */
  readonly image: ImageName;
  /** the rule that offers it, or that ranks the origin; none for an origin in its own rank */
  readonly rule?: RuleId;
  readonly priority: number;
  readonly itemPriority: number;
  /** position in the rule's list */
  readonly index: number;
  /** what a Pod needs to pull from here: the rule's `pullSecret`, else its `credentialSecret` */
  readonly secret?: SecretRef;
}

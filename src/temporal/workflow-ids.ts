/**
 * Workflow IDs are for people: `keep/registry.example.com/mirror/library/nginx:1.27`. They are made outside the
 * workflow sandbox, which has no SHA-256, and handed to workflows as input.
 */
import { createHash } from 'node:crypto';
import type { PlaceId } from '../domain/image-ref.js';

export interface WorkflowIds {
  readonly keeper: string;
  /** copies and deletions share it: the server refuses a second operation on a destination */
  readonly task: string;
}

export function workflowIds(destination: PlaceId): WorkflowIds {
  return { keeper: fitted(`keep/${destination}`), task: fitted(`task/${destination}`) };
}

/** Of the monitor of a registry. @param registry `host[:port]` */
export function monitorId(cluster: string, registry: string): string {
  return fitted(`monitor/${cluster}/${registry}`);
}

const longestBytes = 240; // SQL stores 255; 15 stay free for suffixes of schedules
const keptBytes = 207; // 240 less `~` and 32 digits

/** An ID as it is, or cut and given `~` and the first half of its SHA-256: `~` cannot occur in a reference. */
function fitted(id: string): string {
  if (Buffer.byteLength(id) <= longestBytes) return id;
  // references are ASCII, so that bytes are characters
  return `${id.slice(0, keptBytes)}~${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}

import { isUnavailable, type AvailabilityState } from '../domain/availability.js';
import { formatDuration } from '../domain/duration.js';
import type { ImageName } from '../domain/image-ref.js';
import type { MonitorRule } from '../domain/rule.js';
import { finding, errorText, fitting, messagesOf, ruleFindings, toConditions, type Finding, type RuleFacts } from './report.js';
import type { ClusterImageSetAvailabilityStatus } from './v1alpha1/cluster-image-set-availability.js';

/** One image a rule tracks, and what the last check of its place found. */
export interface MonitoredImage {
  readonly image: ImageName;
  /** RFC 3339 */
  readonly unusedSince?: string;
  readonly original?: boolean;
  /** undefined: never checked */
  readonly state?: AvailabilityState;
  /** RFC 3339 */
  readonly checkedAt?: string;
  readonly checkFailure?: string;
}

export interface MonitorFacts extends RuleFacts<MonitorRule> {
  readonly images: readonly MonitoredImage[];
  /** milliseconds one round of checks takes at the current pace; undefined when nothing is checked */
  readonly cycleMs?: number;
}

const worstStates: readonly AvailabilityState[] = ['NotFound', 'InvalidAuth', 'UnavailableSecret', 'Unreachable', 'QuotaExceeded', 'Scheduled', 'Available'];

/** The status of a `ClusterImageSetAvailability`. */
export function reportMonitor(facts: MonitorFacts): ClusterImageSetAvailabilityStatus {
  const { rule, images, cycleMs } = facts;
  const checks = images.flatMap(({ checkedAt }) => checkedAt ?? []).sort();
  const rest = {
    observedGeneration: rule.generation,
    conditions: toConditions([...ruleFindings(facts), availabilityFinding(images)], facts),
    imageCount: images.length,
    ...(cycleMs !== undefined && { cycle: formatDuration(Math.ceil(cycleMs / 1000) * 1000) }),
    ...(checks[0] !== undefined && { oldestCheck: checks[0] }),
  };
  const listed = fitting(worstFirst(images).map(listedImage), rest);
  return { ...rest, counts: countImages(images, listed.length), images: listed };
}

function countImages(images: readonly MonitoredImage[], listed: number): ClusterImageSetAvailabilityStatus['counts'] {
  return {
    available: images.filter((image) => stateOf(image) === 'Available').length,
    unavailable: images.filter(({ state }) => isUnavailable(state)).length,
    unchecked: images.filter((image) => stateOf(image) === 'Scheduled').length,
    unused: images.filter(({ unusedSince }) => unusedSince !== undefined).length,
    listed,
  };
}

function availabilityFinding(images: readonly MonitoredImage[]): Finding {
  const unavailable = worstFirst(images.filter(({ state }) => isUnavailable(state)));
  if (unavailable.length === 0) return finding('AllImagesAvailable', true, 'AllAvailable', 'no tracked image is unavailable');
  const names = messagesOf(unavailable.map((image) => `${image.image} (${stateOf(image)})`));
  return finding('AllImagesAvailable', false, 'ImagesUnavailable', `${unavailable.length} of ${images.length} images cannot be pulled: ${names}`);
}

function worstFirst(images: readonly MonitoredImage[]): MonitoredImage[] {
  const unused = (image: MonitoredImage): number => (image.unusedSince === undefined ? 0 : 1);
  const rank = (image: MonitoredImage): number => worstStates.indexOf(stateOf(image));
  return [...images].sort((one, other) => rank(one) - rank(other) || unused(one) - unused(other) || (one.image < other.image ? -1 : 1));
}

function listedImage(image: MonitoredImage): NonNullable<ClusterImageSetAvailabilityStatus['images']>[number] {
  const { unusedSince, original, checkedAt, checkFailure } = image;
  return {
    image: image.image,
    status: stateOf(image),
    ...(unusedSince && { unusedSince }),
    ...(checkFailure && { lastError: errorText(checkFailure) }),
    ...(checkedAt && { lastMonitor: checkedAt }),
    ...(original !== undefined && { original }),
  };
}

function stateOf({ state }: MonitoredImage): AvailabilityState {
  return state ?? 'Scheduled';
}

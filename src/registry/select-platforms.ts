/** Which children of an index are wanted. @see OCI image specification 1.1, image-index.md */
import { meetsPlatform, platformText, type Platform } from '../domain/platform.js';
import type { Descriptor } from './registry.js';

/** BuildKit's mark of an attestation, and of the image it describes. */
export const attestationOf = 'vnd.docker.reference.digest';
const attestationType = 'vnd.docker.reference.type';

export interface Selection {
  /** positions in the index of what is wanted, ascending */
  readonly kept: readonly number[];
  /** `os/architecture[/variant]` of the images among them */
  readonly platforms: readonly string[];
  /** wanted platforms that no image meets, as they were written */
  readonly missing: readonly string[];
  /** all platforms of the index */
  readonly existing: readonly string[];
}

/**
 * Chooses children by platform. Attestations follow the image they describe; a child without platform is kept
 * only when its artifact type or annotation says what it is, and an index inside when an image in it is wanted.
 *
 * @param leavesOf the images inside a nested index; none for anything else
 */
export function selectPlatforms(children: readonly Descriptor[], wanted: readonly Platform[], leavesOf: (child: Descriptor) => readonly Descriptor[] = () => []): Selection {
  const platformsOf = (child: Descriptor): readonly Platform[] => [child, ...leavesOf(child)].flatMap((image) => (isImage(image) ? [image.platform!] : []));
  const meets = (child: Descriptor): boolean => platformsOf(child).some((found) => wanted.some((platform) => meetsPlatform(found, platform)));

  const images = new Set(children.filter(meets).map(({ digest }) => digest as string));
  const isKept = (child: Descriptor): boolean => {
    const described = child.annotations?.[attestationOf];
    if (described !== undefined) return images.has(described);
    if (platformsOf(child).length > 0) return meets(child);
    return saysWhatItIs(child);
  };

  const kept = children.flatMap((child, index) => (isKept(child) ? [index] : []));
  const all = children.flatMap(platformsOf);
  return {
    kept,
    platforms: unique(kept.flatMap((index) => platformsOf(children[index]!)).map(platformText)),
    missing: unique(wanted.filter((platform) => !all.some((found) => meetsPlatform(found, platform))).map(platformText)),
    existing: unique(all.map(platformText)),
  };
}

/** Everything of an index, and which wanted platforms even that lacks. */
export function selectAll(children: readonly Descriptor[], wanted: readonly Platform[], leavesOf?: (child: Descriptor) => readonly Descriptor[]): Selection {
  const { missing, existing } = selectPlatforms(children, wanted, leavesOf);
  return { kept: children.map((_, index) => index), platforms: existing, missing, existing };
}

/** A single image by the platform its config names; nothing is met, and nothing missing, where it names none. */
export function selectSingle(found: Platform | undefined, wanted: readonly Platform[]): Selection {
  if (found === undefined) return { kept: [], platforms: [], missing: [], existing: [] };
  const existing = [platformText(found)];
  const unmet = wanted.filter((platform) => !meetsPlatform(found, platform));
  return { kept: [], platforms: unmet.length < wanted.length ? existing : [], missing: unique(unmet.map(platformText)), existing };
}

/** What people read of a child: its platform, or what it is. */
export function labelOf(child: Descriptor): string {
  if (child.annotations?.[attestationOf] !== undefined) return 'attestation';
  return isImage(child) ? platformText(child.platform!) : (child.artifactType ?? 'manifest');
}

/** BuildKit writes `unknown/unknown` where there is no platform. */
function isImage({ platform, annotations }: Descriptor): boolean {
  return platform !== undefined && platform.os !== 'unknown' && annotations?.[attestationOf] === undefined;
}

function saysWhatItIs({ artifactType, annotations }: Descriptor): boolean {
  return artifactType !== undefined || annotations?.[attestationType] !== undefined;
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

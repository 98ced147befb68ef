/** Tags under which what describes an image is found, on registries without a list of it and by older tools. */
import { algorithmOf, hexOf, type Digest } from '../domain/digest.js';

/**
 * The tag of the index that lists what refers to a digest, where the registry has no referrers API.
 *
 * @returns `sha256-<64 hex>`; of a longer digest the first 64
 * @see OCI distribution specification 1.1, "Referrers Tag Schema"
 */
export function fallbackTag(subject: Digest): string {
  return `${algorithmOf(subject)}-${hexOf(subject).slice(0, 64)}`;
}

/** Where cosign keeps signatures, attestations and SBOMs of a digest: ordinary tags. */
export function cosignTags(subject: Digest): readonly string[] {
  return ['sig', 'att', 'sbom'].map((suffix) => `${algorithmOf(subject)}-${hexOf(subject)}.${suffix}`);
}

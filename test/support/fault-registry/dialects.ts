/**
 * Registries as data: what each does otherwise than the specification asks. The first three are measured, and held to
 * what the real ones do by the conformance table; the others follow the makers' documents and reports of users.
 */
import type { Manners } from './manners.js';

const mebibyte = 1024 * 1024;
const manifestLimit = [4 * mebibyte, 400, 'MANIFEST_INVALID'] as const;

export const dialects = {
  'distribution-2.8': {
    serves: { ranges: 'short' },
    singlePost: false,
    staleLocation: [404, 'BLOB_UPLOAD_INVALID'],
    gap: 'appended',
    cutUpload: 'lost',
    foreignLayers: [500, 'UNKNOWN'],
    manifestLimit,
    paging: 'none',
    tagOrder: 'unsorted',
    referrers: false,
    deletes: { tag: [400, 'DIGEST_INVALID'] },
  },
  'distribution-3': {
    accept: 'any',
    singlePost: false,
    foreignLayers: [500, 'UNKNOWN'],
    manifestLimit,
    paging: 'eager',
    referrers: false,
  },
  crane: {
    accept: 'ignored',
    conditional: false,
    serves: { ranges: 'closed' },
    mounts: false,
    sharesBlobs: true,
    uploadStatus: [400, 'NAME_INVALID'],
    uploadAbort: [400, 'NAME_INVALID'],
    staleLocation: 'accepted',
    sparseRefusal: [404, 'MANIFEST_UNKNOWN'],
    checksManifests: false,
    acceptsHollow: true,
    paging: 'cut',
    referrers: [404, 'METHOD_UNKNOWN'],
    deletes: { digest: 'tags-stay' },
  },
  zot: { accept: 'ignored', deletes: { digest: 'unlisted', stillNamed: [405, 'DENIED'] } },
  harbor: { deletes: { tag: [405, 'UNSUPPORTED'] } },
  quay: { referrers: false },
  'artifact-registry': { deletes: { digest: 'untagged', stillNamed: [400, 'GOOGLE_MANIFEST_DANGLING_TAG'] } },
  ecr: { createsRepositories: false, patched: 201, deletes: { tag: 'last-takes-digest' } },
  acr: { deletes: { tag: [405, 'UNSUPPORTED'], vendorPath: 'acr' } },
  gitlab: { deletes: { digest: 'unlisted', stillNamed: [409, 'MANIFEST_REFERENCED'] } },
  'gitlab-before-2023': { deletes: { tag: [405, 'UNSUPPORTED'], digest: 'unlisted', stillNamed: [409, 'MANIFEST_REFERENCED'], vendorPath: 'gitlab' } },
  ghcr: { referrers: false, deletes: { tag: [405, 'UNSUPPORTED'], digest: [405, 'UNSUPPORTED'], blob: [405, 'UNSUPPORTED'] } },
  hub: { deletes: { tag: [405, 'UNSUPPORTED'], digest: [405, 'UNSUPPORTED'], blob: [405, 'UNSUPPORTED'] } },
  artifactory: {},
  nexus: { referrers: false, deletes: { tag: [400, 'DIGEST_INVALID'], digest: 'tags-dangle' } },
  pulp: { deletes: { tag: [400, 'DIGEST_INVALID'], digest: 'recursive' } },
  /** not a product: the one that must not cost a sibling tag all the same */
  'tag-takes-digest': { deletes: { tag: 'its-digest' } },
} as const satisfies Readonly<Record<string, Manners>>;

export type Dialect = keyof typeof dialects;

/**
 * What is known of registries, as deviations from the table. The first three are measured whenever the tests on real
 * servers run; what is declared here and does not occur any more fails there.
 */
import type { Dialect } from '../../support/fault-registry/dialects.js';

/** Answers of a registry that differ from the table's, by what was asked. */
export type Deviations = Readonly<Record<string, string>>;

/** CNCF distribution 2.8, Debian's `docker-registry`: no deletion by tag, no pages, sessions that do not survive. */
export const distribution28: Deviations = {
  'GET of a blob of 1000 bytes with Range: bytes=1000-': '416, with less of a body than its length says',
  'HEAD of an OCI manifest without Accept': '404',
  'GET of an index where only manifests are accepted': '404 MANIFEST_UNKNOWN',
  'POST of a whole blob': '202, gone',
  'PATCH of a chunk that leaves a gap': '202 with 0-199',
  'PATCH to the location before the last one': '404',
  'GET of an upload that was cut in the middle of a PUT, then PATCH of the rest and PUT': '404',
  'PUT of an index with one of its two images': '400 MANIFEST_BLOB_UNKNOWN',
  'PUT of an image with a layer that is only at urls': '500 UNKNOWN',
  'PUT of a manifest of 5 MiB': '400 MANIFEST_INVALID',
  'PUT of an image with a subject': '201, no OCI-Subject',
  'GET of all tags': '200, 8, unsorted',
  'GET of two tags of eight': '200, 8, unsorted',
  'GET of two tags after the sixth': '200, 8, unsorted',
  'GET of exactly as many tags as there are': '200, 8, unsorted',
  'GET of the referrers of an image that has two': '404',
  'GET of the referrers of nothing': '404',
  'GET of the referrers of one artifact type': '404',
  'DELETE of one of two tags on a digest': '400 DIGEST_INVALID; the tag there, its sibling there, the digest there',
  'DELETE of the only tag on a digest': '400 DIGEST_INVALID; the tag there, the digest there',
  'DELETE of an absent tag': '400 DIGEST_INVALID',
};

/** CNCF distribution 3: today's common registry. */
export const distribution3: Deviations = {
  'HEAD of an OCI manifest without Accept': '404',
  'POST of a whole blob': '202, gone',
  'PUT of an index with one of its two images': '400 MANIFEST_BLOB_UNKNOWN',
  'PUT of an image with a layer that is only at urls': '500 UNKNOWN',
  'PUT of a manifest of 5 MiB': '400 MANIFEST_INVALID',
  'PUT of an image with a subject': '201, no OCI-Subject',
  'GET of two tags after the sixth': '200, g h, with Link',
  'GET of exactly as many tags as there are': '200, a b c d e f g h, with Link',
  'GET of the referrers of an image that has two': '404',
  'GET of the referrers of nothing': '404',
  'GET of the referrers of one artifact type': '404',
};

/** `crane registry serve`: believes most of what it is told, and knows no sessions. */
export const crane: Deviations = {
  'GET of a blob of 1000 bytes with Range: bytes=10-': '416',
  'HEAD of a tag with If-None-Match of its digest': '200',
  'PATCH to the location before the last one': '202',
  'GET of an upload of 400 bytes': '400 NAME_INVALID',
  'GET of an upload that was cut in the middle of a PUT, then PATCH of the rest and PUT': '400',
  'GET of an absent upload': '400',
  'DELETE of an upload': '400 NAME_INVALID',
  'POST that mounts a blob from where it is': '202, there',
  'POST that mounts a blob from nowhere in particular': '202, there',
  'PUT of an image by another digest': '201',
  'PUT of something that is no manifest': '201',
  'PUT of an image whose layer is absent': '201',
  'PUT of an index with one of its two images': '404 MANIFEST_UNKNOWN',
  'PUT of an image with a subject': '201, no OCI-Subject',
  'GET of two tags of eight': '200, a b',
  'GET of the referrers of an image that has two': '404 METHOD_UNKNOWN',
  'GET of the referrers of nothing': '404 METHOD_UNKNOWN',
  'GET of the referrers of one artifact type': '404 METHOD_UNKNOWN',
  'DELETE of a digest with a tag on it': '202; the digest gone, its tag there',
};

/** The scripted registry is strict where that is allowed: a client that forgets something shall notice in its tests. */
export const scripted: Deviations = {
  'HEAD of an OCI manifest without Accept': '404',
  'GET of an index where only manifests are accepted': '404 MANIFEST_UNKNOWN',
  'PUT of an index with one of its two images': '400 MANIFEST_BLOB_UNKNOWN',
};

const noTagDeletion = (refusal: string): Deviations => ({
  'DELETE of one of two tags on a digest': `${refusal}; the tag there, its sibling there, the digest there`,
  'DELETE of the only tag on a digest': `${refusal}; the tag there, the digest there`,
  'DELETE of an absent tag': refusal,
});

const noDeletion = (refusal: string): Deviations => ({
  ...noTagDeletion(refusal),
  'DELETE of a digest with a tag on it': `${refusal}; the digest there, its tag there`,
  'DELETE of an image that an index lists': `${refusal}; the image there, the index there`,
  'DELETE of an index without a tag': `${refusal}; the index there, its image there`,
  'DELETE of an absent digest': refusal,
  'DELETE of a blob': `${refusal}; the blob there`,
});

const noReferrers: Deviations = {
  'PUT of an image with a subject': '201, no OCI-Subject',
  'GET of the referrers of an image that has two': '404',
  'GET of the referrers of nothing': '404',
  'GET of the referrers of one artifact type': '404',
};

const listedStays = (refusal: string): Deviations => ({ 'DELETE of an image that an index lists': `${refusal}; the image there, the index there` });

/** Registries that we cannot run: from documents of their makers and reports of users, and only as our dialects act them. */
export const documented: Partial<Readonly<Record<Dialect, Deviations>>> = {
  zot: listedStays('405 DENIED'),
  harbor: noTagDeletion('405 UNSUPPORTED'),
  quay: noReferrers,
  'artifact-registry': { 'DELETE of a digest with a tag on it': '400 GOOGLE_MANIFEST_DANGLING_TAG; the digest there, its tag there' },
  acr: noTagDeletion('405 UNSUPPORTED'),
  gitlab: listedStays('409 MANIFEST_REFERENCED'),
  'gitlab-before-2023': { ...noTagDeletion('405 UNSUPPORTED'), ...listedStays('409 MANIFEST_REFERENCED') },
  ghcr: { ...noDeletion('405 UNSUPPORTED'), ...noReferrers },
  hub: noDeletion('405 UNSUPPORTED'),
  artifactory: {},
  nexus: { ...noTagDeletion('400 DIGEST_INVALID'), ...noReferrers, 'DELETE of a digest with a tag on it': '202; the digest gone, its tag listed, and leading nowhere' },
  pulp: { ...noTagDeletion('400 DIGEST_INVALID'), 'DELETE of an index without a tag': '202; the index gone, its image gone' },
  'tag-takes-digest': {
    'DELETE of one of two tags on a digest': '202; the tag gone, its sibling gone, the digest gone',
    'DELETE of the only tag on a digest': '202; the tag gone, the digest gone',
  },
};

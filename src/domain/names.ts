/** Wire names: what users, other tools and older releases know us by. Renaming one is a breaking change. */

export const apiGroup = 'kuik.enix.io';
export const apiVersion = 'kuik.enix.io/v1alpha1';

export const annotations = {
  originalImages: 'kuik.enix.io/original-images',
  rewrittenBy: 'kuik.enix.io/rewritten-by',
  reason: 'kuik.enix.io/reason',
  purge: 'kuik.enix.io/purge',
  skipCleanup: 'kuik.enix.io/skip-cleanup',
  keepUntil: 'kuik.enix.io/keep-until',
  requestedAt: 'kuik.enix.io/requested-at',
  /** on a record: nothing is copied and nothing deleted for its image */
  paused: 'kuik.enix.io/paused',
  /** on the ConfigMap of known clusters: the ID of one that is gone */
  forgetCluster: 'kuik.enix.io/forget-cluster',
  /** on a Lease of ours: a text that replicas share */
  note: 'kuik.enix.io/note',
  secretSource: 'kuik.enix.io/source',
  secretSourceVersion: 'kuik.enix.io/source-version',
  secretUnusedSince: 'kuik.enix.io/unused-since',
  /** on a definition: the version of kuik that wrote it */
  version: 'kuik.enix.io/version',
  /** the kubelet's mark of a static Pod's mirror */
  staticPod: 'kubernetes.io/config.mirror',
} as const;

export const labels = {
  ignore: 'kuik.enix.io/ignore',
  v1Policy: 'kube-image-keeper.enix.io/image-caching-policy',
  ownerVersion: 'kuik.enix.io/owner-version',
  ownerGroup: 'kuik.enix.io/owner-group',
  ownerKind: 'kuik.enix.io/owner-kind',
  ownerUid: 'kuik.enix.io/owner-uid',
  ownerName: 'kuik.enix.io/owner-name',
  /** the usual label of Kubernetes for whoever looks after an object */
  managedBy: 'app.kubernetes.io/managed-by',
} as const;

export const finalizers = {
  mirrorCleanup: 'kuik.enix.io/mirror-cleanup',
  secretCleanup: 'kuik.enix.io/secret-cleanup',
} as const;

/** Server-side apply: nobody writes a field of another manager. */
export const fieldManagers = {
  webhook: 'kuik-webhook',
  usage: 'kuik-usage',
  mirror: 'kuik-mirror',
  monitor: 'kuik-monitor',
  report: 'kuik-report',
  certificates: 'kuik-certificates',
  cli: 'kuik-cli',
  definitions: 'kuik-definitions',
} as const;

export type FieldManager = (typeof fieldManagers)[keyof typeof fieldManagers];

/** In the install namespace: which clusters claim what we claim, and what became of those to be forgotten. */
export const clustersName = 'kuik-clusters';

export const leaseName = 'e69ca865.enix.io';

/** The Lease on which the deletions of a cluster are counted. */
export const budgetNote = 'kuik-deletion-budget';

/** Reasons of routing decisions: annotation, Event, metric label and `kuik explain` share them. */
export const routeReasons = [
  'OnlyOrigin',
  'OriginAvailable',
  'PreferredUnavailable',
  'NoPlaceAvailable',
  'PlacePreferred',
  'OriginUnavailable',
  'OriginDiscarded',
  'V1Reference',
  'PullPolicyNever',
  'InvalidReference',
  'Error',
] as const;

export type RouteReason = (typeof routeReasons)[number];

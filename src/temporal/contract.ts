/**
 * The wire contract with Temporal: names of workflows, messages, queues, search attributes, and the payloads.
 * Renaming anything here is a breaking change; payloads are versioned (`v`) and only grow.
 */

export const workflowQueue = 'kuik';
export const registryQueue = (cluster: string): string => `kuik-registry.${cluster}`;
export const monitorQueue = (cluster: string): string => `kuik-monitor.${cluster}`;
export const clusterQueue = (cluster: string): string => `kuik-cluster.${cluster}`;

export const workflowTypes = {
  keepImage: 'keepImage',
  copyImage: 'copyImage',
  deleteImage: 'deleteImage',
  monitorRegistry: 'monitorRegistry',
  sweepCluster: 'sweepCluster',
} as const;

export const signals = {
  claim: 'claim',
  release: 'release',
  retry: 'retry',
  resync: 'resync',
  pause: 'pause',
  resume: 'resume',
  observed: 'observed',
  proceed: 'proceed',
  configure: 'configure',
  checkNow: 'checkNow',
} as const;

export const updates = { retryNow: 'retryNow' } as const;
export const queries = { status: 'status' } as const;

/** Search attributes and their types, as the server knows them. */
export const searchAttributes = {
  KuikPhase: 'KEYWORD',
  KuikRegistry: 'KEYWORD',
  KuikSourceRegistry: 'KEYWORD',
  KuikRepository: 'KEYWORD',
  KuikErrorType: 'KEYWORD',
  KuikClusters: 'KEYWORD_LIST',
  KuikUnusedSince: 'DATETIME',
  KuikBytes: 'INT',
} as const;

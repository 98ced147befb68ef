/** Talks to the monitors of one cluster: one per registry, found by its name. */
import type { Client } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import type { ImageName } from '../domain/image-ref.js';
import type { MonitorBirth, MonitorSettings } from '../domain/monitor-run.js';
import { monitorSummary, type MonitorStatus } from '../domain/monitor-story.js';
import { queries, signals, workflowQueue, workflowTypes } from './contract.js';
import { monitorId } from './workflow-ids.js';

/** Its calls throw Failure `unreachable`, `timeout` or `invalid`, side `cluster`. */
export interface MonitorClient {
  /** Says at what pace a registry is checked; starts its monitor when there is none. */
  configure(registry: string, settings: MonitorSettings): Promise<void>;
  /** Checks an image before its turn. `absent`: its registry has no monitor. */
  checkNow(registry: string, image: ImageName): Promise<'sent' | 'absent'>;
  /** What a monitor knows; needs a live worker. */
  status(registry: string): Promise<MonitorStatus | 'absent'>;
}

export interface MonitorCalls {
  readonly client: Client;
  readonly cluster: string;
  /** @throws Failure `unreachable` while the namespace is not prepared: a monitor keeps what it was born with */
  readonly birth: () => Pick<MonitorBirth, 'searchable' | 'pace'>;
  /** bounds one call, and makes its errors ours */
  readonly within: <T>(call: () => Promise<T>) => Promise<T>;
  readonly orAbsent: <T>(call: () => Promise<T>) => Promise<T | 'absent'>;
}

export function monitorClient({ client, cluster, birth, within, orAbsent }: MonitorCalls): MonitorClient {
  const monitor = (registry: string) => client.workflow.getHandle(monitorId(cluster, registry));
  return {
    async configure(registry, settings) {
      const options = startOptions({ v: 1, cluster, registry, ...birth() }, settings);
      await within(() => client.workflow.signalWithStart(workflowTypes.monitorRegistry, options));
    },
    checkNow: (registry, image) => within(() => orAbsent(() => monitor(registry).signal(signals.checkNow, { image }).then(() => 'sent' as const))),
    status: (registry) => within(() => orAbsent(() => monitor(registry).query<MonitorStatus>(queries.status))),
  };
}

function startOptions(birth: MonitorBirth, settings: MonitorSettings) {
  const { cluster, registry, searchable } = birth;
  return {
    workflowId: monitorId(cluster, registry),
    taskQueue: workflowQueue,
    args: [birth] as [MonitorBirth],
    signal: signals.configure,
    signalArgs: [settings] as [MonitorSettings],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    staticSummary: monitorSummary(registry, settings),
    staticDetails: detailsOf(birth),
    memo: { registry, cluster },
    ...(searchable ? { typedSearchAttributes: attributesOf(birth) } : {}),
  };
}

function detailsOf({ registry, cluster }: MonitorBirth): string {
  return [
    `Checks whether the images that Pods of cluster \`${cluster}\` use can still be pulled from \`${registry}\`, at the pace of \`monitoring.registries\`.`,
    'What was found stands in the cluster: `kubectl get cisa`, `kubectl get ia`, `/status/images` of the manager. Here stand numbers only.',
    'To check now send the signal `checkNow`; to leave the registry alone for a while send `pause`, later `resume`. Terminated, it is started again within the hour.',
  ].join('\n\n');
}

function attributesOf({ registry, cluster }: MonitorBirth) {
  return [
    { key: { name: 'KuikRegistry', type: 'KEYWORD' as const }, value: registry.slice(0, 255) },
    { key: { name: 'KuikClusters', type: 'KEYWORD_LIST' as const }, value: [cluster.slice(0, 255)] },
  ];
}

import process from 'node:process';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { Config } from '../../config/config.js';
import { readEnvironment, type Environment } from '../../config/environment.js';
import { monitorSettingsOf } from '../../config/monitoring.js';
import { mirrorsOf, standingOf, troubleOf } from '../../domain/image-standing.js';
import type { ImageRecord } from '../../domain/record.js';
import type { UsageView } from '../../views/usage.js';
import { lookAround } from '../../watchers/reconcile.js';
import { askCluster } from '../ask-cluster.js';
import { readKnown } from '../cluster/known.js';
import { clustersName } from '../../domain/names.js';
import { cliVersion, complain } from '../command-line.js';
import type { DescribeOptions } from '../describe.js';
import type { ImageDescriptionList } from '../documents/describe.js';
import { eventsOfRecord } from '../events.js';
import { findImages, recordText } from '../find-images.js';
import { usersOf } from '../images/choose.js';
import { settingsFor } from '../manager-config.js';
import { isData, printDocument } from '../output.js';
import { readUsage, readViews, unlessDenied } from '../read-views.js';
import { readClaims, type ClaimsOf } from './claims.js';
import { nextCheckOf } from './next-check.js';
import { environmentFor } from '../status/read.js';
import { descriptionOf, descriptionText } from './report.js';

type NextCheck = (record: ImageRecord) => ImageDescriptionList['items'][number]['nextCheck'];

export async function runDescribe(images: readonly string[], options: DescribeOptions): Promise<number> {
  const asked = environmentFor(options, readEnvironment());
  return askCluster('describe', options, async (cluster) => {
    const { records, problems } = await findImages(images, cluster);
    if (problems.length > 0) return complain('describe', ...problems);
    const settings = await settingsFor('describe', { cluster, environment: asked });
    if (settings === undefined) return 1;
    const { config, environment } = settings;

    const { usage, isWhole } = await readUsers(cluster, config);
    const nextCheck = usage === undefined || !isWhole ? () => undefined : await nextChecks(cluster, environment, config, usage);
    const known = await orHidden(() => readKnown(cluster, { namespace: environment.installNamespace, name: clustersName }), 'read the ConfigMap of known clusters: other claimants are not shown');
    const self = known?.report?.self;
    const claimants = (known?.report?.clusters ?? []).filter(({ id }) => id !== self).map(({ id, heardAt }) => ({ cluster: id, heardAt }));
    const claims = claimants.length > 0 || config.temporal.shared ? await claimsOf(records, cluster, environment) : undefined;
    const items = await Promise.all(
      records.map(async (record) => {
        const events = await eventsOfRecord(record.name, cluster);
        const users = usage === undefined ? undefined : usersOf(record, usage);
        return descriptionOf({ record, standing: standingOf(record), ...(users === undefined ? {} : { users }) }, { nextCheck: nextCheck(record), events, ...(claims === undefined ? {} : { claims }) });
      }),
    );
    await print({ apiVersion: cliVersion, kind: 'ImageDescriptionList', claimants, items }, self, options);
    return records.some((record) => record.pods > 0 && troubleOf(record) !== undefined) ? 2 : 0;
  });
}

/** Every Pod; where one may not, those of the context's namespace: enough to show, and too few to decide by. */
async function readUsers(cluster: KubernetesCluster, { migration: { v1ProxyPort } }: Config): Promise<{ readonly usage?: UsageView; readonly isWhole: boolean }> {
  const whole = await unlessDenied(() => readUsage(cluster, { v1ProxyPort }));
  if (whole !== undefined) return { usage: whole, isWhole: true };
  const { namespace } = cluster;
  const near = await unlessDenied(() => readUsage(cluster, { v1ProxyPort, namespace }));
  complain('describe', `you may not list Pods of all namespaces: ${near === undefined ? 'what uses an image is not shown' : `what uses an image is shown of namespace ${namespace} only, that of your context`}, nor is its next check`);
  return { ...(near === undefined ? {} : { usage: near }), isWhole: false };
}

/** By the picture of the manager, its settings, and the functions that decide whose turn it is. */
async function nextChecks(cluster: KubernetesCluster, environment: Environment, config: Config, usage: UsageView): Promise<NextCheck> {
  const views = await orHidden(() => readViews(cluster, environment.installNamespace), 'read rules and Namespaces: the next check is not shown');
  if (views === undefined) return () => undefined;
  const now = Date.now();
  const { tracked } = lookAround({
    usage,
    rules: views.rules,
    records: views.records,
    namespaceLabels: (namespace) => views.namespaces.labels(namespace),
    settings: { platforms: config.mirroring.platforms, retentionMs: config.retention.defaultMs, isConnected: config.temporal.shared, skip: config.skip },
    now: () => now,
  });
  return ({ image }) => nextCheckOf(image, tracked, (host) => monitorSettingsOf(config.monitoring, host), now);
}

/** Only where copies are shared: elsewhere all claims are our own, and nobody has to be asked. */
async function claimsOf(records: readonly ImageRecord[], cluster: KubernetesCluster, environment: Environment): Promise<ClaimsOf | undefined> {
  const claims = await readClaims(records.flatMap((record) => mirrorsOf(record).map(({ reference }) => reference)), cluster, environment);
  if (typeof claims !== 'string') return claims;
  complain('describe', `${claims}; claims of other clusters are shown as the last daily sweep heard of them, not copy by copy`);
  return undefined;
}

/** What one may not see is left out, and said. */
async function orHidden<T>(read: () => Promise<T>, what: string): Promise<T | undefined> {
  const found = await unlessDenied(read);
  if (found === undefined) complain('describe', `you may not ${what}`);
  return found;
}

async function print(document: ImageDescriptionList, self: string | undefined, { output }: DescribeOptions): Promise<void> {
  if (isData(output)) return printDocument(document, output);
  if (output === 'name') return void process.stdout.write(document.items.map(({ record }) => `${recordText({ name: record })}\n`).join(''));
  const about = { claimants: document.claimants, now: Date.now(), form: output, ...(self === undefined ? {} : { self }) };
  process.stdout.write(document.items.map((item) => descriptionText(item, about)).join('\n'));
}

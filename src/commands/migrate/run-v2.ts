import process from 'node:process';
import { readEnvironment } from '../../config/environment.js';
import { ruleKinds } from '../../domain/rule.js';
import { lookAround } from '../../watchers/reconcile.js';
import { askCluster } from '../ask-cluster.js';
import { columns } from '../columns.js';
import { cliVersion } from '../command-line.js';
import type { DifferenceList } from '../documents/migrate.js';
import { settingsFor } from '../manager-config.js';
import type { MigrateV2Options } from '../migrate.js';
import { isData, printDocument } from '../output.js';
import { readUsage, readViews } from '../read-views.js';
import { environmentFor } from '../status/read.js';
import { differencesFrom } from './v2.js';

export async function runMigrateV2(options: MigrateV2Options): Promise<number> {
  const environment = environmentFor(options, readEnvironment());
  return askCluster('migrate v2', options, async (cluster) => {
    const settings = await settingsFor('migrate v2', { cluster, environment });
    if (settings === undefined) return 1;
    const { config } = settings;
    const [views, usage, resources] = await Promise.all([
      readViews(cluster, environment.installNamespace, { recordsMayBeAbsent: true }),
      readUsage(cluster, { v1ProxyPort: config.migration.v1ProxyPort }),
      Promise.all(ruleKinds.map((kind) => cluster.list(kind))),
    ]);
    const picture = lookAround({
      usage,
      rules: views.rules,
      records: views.records,
      namespaceLabels: (namespace) => views.namespaces.labels(namespace),
      settings: { platforms: config.mirroring.platforms, retentionMs: config.retention.defaultMs, isConnected: config.temporal.shared, skip: config.skip },
      now: Date.now,
    });
    const items = [...differencesFrom({ picture, resources: resources.flat(), config })];
    await print({ apiVersion: cliVersion, kind: 'DifferenceList', items }, options);
    return items.some(({ weight }) => weight === 'act') ? 2 : 0;
  });
}

async function print(document: DifferenceList, { output }: MigrateV2Options): Promise<void> {
  if (isData(output)) return printDocument(document, output);
  if (document.items.length === 0) return void process.stdout.write('nothing of this set-up behaves differently, as far as its resources and Pods tell; docs/guides/from-v2.md has the whole list\n');
  process.stdout.write(columns([['', 'SUBJECT', 'WHAT IS DIFFERENT', 'WHAT TO DO'], ...document.items.map(({ subject, what, next, weight }) => [weight, subject, what, next])]));
}

import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { Config } from '../../config/config.js';
import { readEnvironment } from '../../config/environment.js';
import type { Rule } from '../../domain/rule.js';
import { lookAround, type Picture } from '../../watchers/reconcile.js';
import { askCluster } from '../ask-cluster.js';
import { complain } from '../command-line.js';
import { settingsFor } from '../manager-config.js';
import { isData, printDocument } from '../output.js';
import type { PreviewOptions } from '../preview.js';
import { readUsage, readViews, readWorkloads } from '../read-views.js';
import { changesOf, problemsOf, type Side } from './changes.js';
import { fatesOf, type Facts } from './fates.js';
import { changesDocument, changesTable, fatesDocument, fatesNames, fatesTable } from './report.js';
import { rulesIn, withRules } from './rules-in.js';

export async function runPreview(options: PreviewOptions): Promise<number> {
  const environment = readEnvironment();
  const { installNamespace } = environment;
  const applied = await rulesFrom(options, installNamespace);
  if (typeof applied === 'string') return complain('preview', applied);

  return askCluster('preview', options, async (cluster) => {
    const settings = await settingsFor('preview', { cluster, environment, file: options.config });
    if (settings === undefined) return 1;
    const look = await lookAtCluster(cluster, settings.config, installNamespace);
    const before = look(undefined);
    if (applied === undefined) return printFates(before, options);
    return printChanges(before, look(applied), applied, options);
  });
}

/** @returns undefined without a file; a text says what is wrong with it */
async function rulesFrom({ filename, namespace }: PreviewOptions, installNamespace: string): Promise<readonly Rule[] | string | undefined> {
  if (filename === undefined) return undefined;
  try {
    const rules = rulesIn(filename === '-' ? await text(process.stdin) : await readFile(filename, 'utf8'), { namespace, installNamespace });
    return rules.length > 0 ? rules : `${filename}: no rule in it; known are the five kinds of kuik.enix.io/v1alpha1`;
  } catch (error) {
    return `${filename}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** One reading of the cluster; what is planned from it with these rules applied, or without. */
async function lookAtCluster(cluster: KubernetesCluster, config: Config, installNamespace: string): Promise<(applied: readonly Rule[] | undefined) => Side> {
  const { v1ProxyPort } = config.migration;
  const [views, usage, workloads] = await Promise.all([readViews(cluster, installNamespace), readUsage(cluster, { v1ProxyPort }), config.retention.workloads ? readWorkloads(cluster, { v1ProxyPort }) : undefined]);
  const settings = { platforms: config.mirroring.platforms, retentionMs: config.retention.defaultMs, isConnected: config.temporal.shared, skip: config.skip };
  const now = Date.now();
  return (applied) => {
    const rules = applied === undefined ? views.rules.snapshot() : withRules(views.rules.snapshot(), applied);
    const picture: Picture = lookAround({
      usage,
      workloads,
      rules: { snapshot: () => rules },
      records: views.records,
      namespaceLabels: (namespace) => views.namespaces.labels(namespace),
      settings,
      now: () => now,
    });
    const facts: Facts = { picture, podsAt: (place) => usage.podsAt(place).length, settings };
    return { picture, fates: fatesOf(facts) };
  };
}

async function printFates({ fates }: Side, { output, all = false }: PreviewOptions): Promise<0> {
  if (isData(output)) await printDocument(fatesDocument(fates), output);
  else process.stdout.write(output === 'name' ? fatesNames(fates, all) : fatesTable(fates, { all, form: output }));
  return 0;
}

async function printChanges(before: Side, after: Side, applied: readonly Rule[], { output }: PreviewOptions): Promise<0 | 2> {
  const changes = changesOf(before, after);
  const problems = problemsOf(applied, before.picture, after.picture);
  if (isData(output)) await printDocument(changesDocument(changes, problems), output);
  else process.stdout.write(changesTable(changes, output === 'wide' ? 'wide' : 'table'));
  complain('preview', ...problems);
  return problems.length > 0 ? 2 : 0;
}

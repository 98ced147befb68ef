/**
 * The settings that a question about a cluster is answered with: its own, as the manager and the webhook have them, unless
 * somebody names a file. Whoever answers with others says so.
 */
import type { ConfigMap, ObjectRef } from '../cluster/cluster.js';
import type { KubernetesCluster } from '../cluster/kubernetes/client.js';
import type { Config } from '../config/config.js';
import type { Environment } from '../config/environment.js';
import { loadConfig, type AbsentFile } from '../config/load-config.js';
import { readConfig } from '../config/load.js';
import { complain } from './command-line.js';
import { findInstallation } from './find-installation.js';
import { unlessDenied } from './read-views.js';
import { managerConfigName } from './webhook-names.js';

export interface Settings {
  readonly config: Config;
  /** by the name of the installation that was found */
  readonly environment: Environment;
  /** files they name that are not on this machine: what these hold is not in them */
  readonly absent: readonly AbsentFile[];
  /** the ConfigMap that may not be read, as `get configmaps NAME in namespace NAMESPACE`; these are the defaults */
  readonly hidden?: string;
  /** why these are the defaults although everything may be read, and what helps */
  readonly missing?: string;
}

export interface Problems {
  readonly problems: readonly string[];
}

interface Asked {
  readonly cluster: Pick<KubernetesCluster, 'configMap' | 'objects'>;
  readonly environment: Environment;
  /** of the person who asks; those of the cluster unless told */
  readonly file?: string;
  /** whether a file may name others that are not here: nothing is asked with what they hold */
  readonly needsFiles?: boolean;
}

/** @throws Failure side `cluster`, other than `denied` */
export async function readSettings({ cluster, environment, file, needsFiles = false }: Asked): Promise<Settings | Problems> {
  if (file === undefined) return readManagerConfig(cluster, environment);
  const loaded = readConfig(file, { ...environment, mustExist: true, filesMayBeAbsent: !needsFiles });
  return loaded.config === undefined ? loaded : { config: loaded.config, environment, absent: loaded.absent };
}

/** The same for a command that has nothing more to say about it. @returns undefined after saying why there are none */
export async function settingsFor(command: string, asked: Asked): Promise<Settings | undefined> {
  const found = await readSettings(asked);
  if ('problems' in found) complain(command, ...found.problems);
  else complain(command, ...gapTexts(found));
  return 'problems' in found ? undefined : found;
}

/** What somebody should know who reads the answer. */
export function gapTexts({ hidden, missing }: Pick<Settings, 'hidden' | 'missing'>): readonly string[] {
  return [...(hidden === undefined ? [] : [`you may not ${hidden}: answered with the default settings, and those of the cluster may be others; ask for that right`]), ...(missing === undefined ? [] : [missing])];
}

async function readManagerConfig(cluster: Asked['cluster'], told: Environment): Promise<Settings | Problems> {
  const environment = await findInstallation(cluster, told);
  if (typeof environment === 'string') return { problems: [environment] };
  const { installNamespace: namespace } = environment;
  const name = managerConfigName({ environment });
  const found = await unlessDenied(async () => (await cluster.configMap({ namespace, name })) ?? 'absent');
  const text = found === undefined || found === 'absent' ? undefined : found.data['config.yaml'];
  // files it names are in the Pods; one of the same name that is here is another one
  const { config, problems, absent } = loadConfig(text, { readFile: () => undefined, filesMayBeAbsent: true, installNamespace: namespace });
  if (config === undefined) return { problems: [`ConfigMap ${namespace}/${name}: ${problems.join('; ')}`] };
  return { config, environment, absent, ...gapOf(found, { namespace, name }) };
}

function gapOf(found: ConfigMap | 'absent' | undefined, { namespace, name }: ObjectRef): Pick<Settings, 'hidden' | 'missing'> {
  if (found === undefined) return { hidden: `get configmaps ${name} in namespace ${namespace}` };
  if (found !== 'absent') return {};
  return { missing: `there is no ConfigMap ${namespace}/${name}: answered with the default settings; where kuik is installed, POD_NAMESPACE says the namespace, and KUIK_FULL_NAME what the names of its objects begin with` };
}

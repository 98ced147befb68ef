/**
 * Where the chart is installed as a user would: a cluster in which Pods run, two registries beside it, and the images
 * of the chart loaded into its node.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readBuild } from '../../src/commands/version.js';
import { kubernetesPrograms, startCluster, type Cluster } from '../cluster/cluster.js';
import { buildImage, recipes, type BuiltImage } from '../cluster/images.js';
import { Coming } from '../coming.js';
import { programNamed, projectRoot, type Program } from '../programs.js';
import { programsLayer, writeImage } from '../release/assemble.js';
import { writeProductImage } from '../release/image.js';
import { freePort, runTool, startRegistry, toolOutput, type RegistryServer, type ToolOutput } from '../servers.js';
import { toolPath } from '../toolchain.js';

export const release = 'kube-image-keeper';
export const namespace = 'kuik-system';

/** What it is made of; where nothing was built yet, a quarter of an hour. */
export const sitePrograms: readonly Program[] = [...kubernetesPrograms, ...(['registry', 'crane', 'helm', 'temporal', 'temporal-server', 'temporal-sql-tool', 'temporal-ui'] as const).map(programNamed)];

/** Who may read and write at "mirror". */
export const mirrorUser = { name: 'robot', password: 'not-told-to-pods' } as const;

/** Nobody is pulled from there: what it stands for lies in the node. */
const chartRegistry = 'kuik.test';

export interface SiteOptions {
  readonly dir: string;
  readonly onStart: (what: string) => void;
}

export class Site {
  /** what one step leaves for a later one */
  readonly notes = new Map<string, string>();

  private constructor(
    readonly dir: string,
    readonly cluster: Cluster,
    readonly source: Coming<RegistryServer>,
    /** `host:port` of the registry the story is about; it stays when the registry goes */
    readonly sourceAddress: string,
    readonly mirror: RegistryServer,
    /** what the chart has to be told here: names of images, and that both registries speak plain HTTP */
    readonly values: object,
  ) {}

  static async open({ dir, onStart }: SiteOptions): Promise<Site> {
    await mkdir(dir, { recursive: true });
    const cluster = await startCluster({ dir: join(dir, 'cluster'), onStart });
    try {
      const { host } = cluster.network;
      const port = await freePort();
      const source = new Coming(() => startRegistry({ name: 'source', dir: join(dir, 'source'), host, port }));
      const { address } = await source.start();
      const mirror = await startRegistry({ name: 'mirror', dir: join(dir, 'mirror'), host, htpasswd: { [mirrorUser.name]: mirrorUser.password } });
      for (const each of [address, mirror.address]) cluster.trust(each);
      onStart(`registry "source" at ${address}, registry "mirror", which wants a password, at ${mirror.address}`);
      const values = await loadImages(dir, cluster, onStart);
      const items = Object.fromEntries([address, mirror.address].map((each) => [each, { plainHTTP: true }]));
      return new Site(dir, cluster, source, address, mirror, { ...values, configuration: { registries: { items } } });
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** `host:port/library/NAME` at the source */
  image(name: string): string {
    return `${this.sourceAddress}/library/${name}`;
  }

  /** where the rule of the story keeps it */
  copyOf(name: string): string {
    return `${this.mirror.address}/kept/library/${name}`;
  }

  kubectl(...args: string[]): Promise<string> {
    return this.cluster.kubectl(...args);
  }

  /** Runs Helm to its end, whatever the status, with the values of this site where the command takes values. */
  helm(...args: string[]): Promise<ToolOutput> {
    const input = ['install', 'upgrade'].includes(args[0] ?? '') ? JSON.stringify(this.values) : undefined;
    const given = [...args, ...(input === undefined ? [] : ['--values=-']), `--namespace=${namespace}`, `--kubeconfig=${this.cluster.kubeconfig}`];
    return runTool('helm', given, { input, timeoutMs: 900_000, env: { HELM_CONFIG_HOME: join(this.dir, 'helm'), HELM_CACHE_HOME: join(this.dir, 'helm') } });
  }

  async push(name: string): Promise<string> {
    const layout = join(this.dir, 'pushed', name.replace(':', '-'));
    const layers = [programsLayer({ pause: await toolPath('pause') })];
    // nothing in it but a program that waits: what matters is where it is pulled from
    const digest = await writeImage(layout, { name: this.image(name), layers, config: { Entrypoint: ['/usr/local/bin/pause'], Labels: { name } } });
    await toolOutput('crane', ['push', '--insecure', layout, this.image(name)]);
    return digest;
  }

  async close(): Promise<void> {
    await this.source.stop();
    await this.mirror.stop();
    await this.cluster.stop();
  }
}

export const chartFolder = join(projectRoot(), 'charts', 'kube-image-keeper');

/** @returns the values that name them */
async function loadImages(dir: string, cluster: Cluster, onStart: SiteOptions['onStart']): Promise<object> {
  const { version } = readBuild();
  const product = join(dir, 'product-image');
  await writeProductImage(product, `${chartRegistry}/enix/kube-image-keeper:${version}`, 'fast');
  onStart(`image of kuik ${version}, made here`);
  const [server, adminTools, ui, postgresql] = [await built('server'), await built('adminTools'), await built('ui'), await built('postgresql')];
  for (const layout of [product, server.layout, adminTools.layout, ui.layout, postgresql.layout]) await cluster.load(layout);
  onStart(`images of Temporal ${server.tag}, its UI ${ui.tag} and PostgreSQL ${postgresql.tag}, made here; all of them loaded into the node`);
  const tagged = ({ tag }: BuiltImage): object => ({ image: { tag } });
  return { global: { imageRegistry: chartRegistry }, temporal: { server: tagged(server), schema: tagged(adminTools), demo: tagged(adminTools), ui: tagged(ui), postgresql: tagged(postgresql) } };
}

function built(recipe: keyof typeof recipes): Promise<BuiltImage> {
  return buildImage(recipes[recipe], chartRegistry);
}

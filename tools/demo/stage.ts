import { readFile, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../programs.js';
import { startApiServer, startRegistry, startTemporal, toolOutput, type ApiServer, type RegistryServer, type TemporalServer } from '../servers.js';
import { startKuik, type Kuik } from './kuik.js';

/** The servers a story is played on, each a real one. `source` comes and goes. */
export interface Stage {
  readonly dir: string;
  readonly api: ApiServer;
  readonly mirror: RegistryServer;
  readonly temporal: TemporalServer;
  readonly kuik: Kuik;
  readonly sourceAddress: string;
  /** image pushed by the story: `host:port/library/web:1.0` */
  readonly image: string;
  /** what one step leaves for a later one */
  readonly notes: Map<string, string>;
  kubectl(...args: string[]): Promise<string>;
  apply(manifest: string): Promise<string>;
  crane(...args: string[]): Promise<string>;
  stopSource(): Promise<void>;
  startSource(): Promise<void>;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly dir: string;
  /** told what has just started */
  readonly onStart?: (what: string) => void;
  /** show the Temporal UI */
  readonly ui: boolean;
}

/** Starts etcd, kube-apiserver, two registries, Temporal with its UI, and `kuik run`, on free loopback ports. */
export async function openStage({ dir, onStart = () => undefined, ui }: StageOptions): Promise<Stage> {
  await mkdir(dir, { recursive: true });
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.reverse()) await closer();
  };
  const started = <T extends { stop(): Promise<void> }>(what: string | undefined, server: T): T => {
    closers.push(() => server.stop());
    if (what !== undefined) onStart(what);
    return server;
  };

  try {
    const api = started('etcd and kube-apiserver', await startApiServer({ dir: join(dir, 'api') }));
    let source: RegistryServer | undefined = await startRegistry({ name: 'source', dir: join(dir, 'source') });
    const { address: sourceAddress, port } = source;
    closers.push(async () => source?.stop());
    onStart(`registry "source" at ${sourceAddress}`);
    const mirror = started(undefined, await startRegistry({ name: 'mirror', dir: join(dir, 'mirror') }));
    onStart(`registry "mirror" at ${mirror.address}`);
    const temporal = started(undefined, await startTemporal({ dbFile: join(dir, 'temporal', 'temporal.db'), ui }));
    onStart(`Temporal at ${temporal.address}${temporal.uiUrl === undefined ? '' : `, its UI at ${temporal.uiUrl}`}`);

    const kubectl = (...args: string[]): Promise<string> => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, ...args]);
    await kubectl('apply', '--server-side', '-f', join(projectRoot(), 'charts', 'kube-image-keeper', 'crds'));
    await kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    await kubectl('create', 'namespace', 'kuik-system');
    const kuik = started('kuik run', await startKuik({ dir, kubeconfig: api.kubeconfig, temporalAddress: temporal.address }));

    return {
      dir, api, mirror, temporal, kuik, sourceAddress,
      image: `${sourceAddress}/library/web:1.0`,
      notes: new Map(),
      kubectl,
      apply: async (manifest) => {
        const file = join(dir, 'apply.yaml');
        await writeFile(file, manifest);
        return kubectl('apply', '-f', file);
      },
      crane: (...args) => toolOutput('crane', args),
      stopSource: async () => {
        await source?.stop();
        source = undefined;
      },
      startSource: async () => {
        source ??= await startRegistry({ name: 'source', dir: join(dir, 'source'), port });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A file of `examples/`, as users get it. */
export function example(name: string): Promise<string> {
  return readFile(join(projectRoot(), 'examples', name), 'utf8');
}

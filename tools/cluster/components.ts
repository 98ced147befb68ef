/** The processes of a cluster, all of them in its node. */
import { join } from 'node:path';
import { isOk } from '../health.js';
import { launch, type Server } from '../servers.js';
import { toolPath } from '../toolchain.js';
import type { ProgramName } from '../programs.js';
import type { Network } from './network.js';
import { nodeEnvironment, type ClusterNode } from './node.js';

export interface Site {
  readonly dir: string;
  readonly network: Network;
  readonly node: ClusterNode;
}

interface Component {
  readonly name: ProgramName | 'containerd';
  readonly args: (site: Site) => readonly string[];
  readonly serves: (site: Site) => Promise<boolean>;
}

const listens = (port: number) => async ({ node }: Site): Promise<boolean> => node.listensOn(port);
const pki = ({ dir }: Site, file: string): string => join(dir, 'pki', file);
const conf = ({ dir }: Site, file: string): string => join(dir, 'conf', file);

const containerdSocket = '/run/containerd/containerd.sock';

/** Arguments for `ctr` in the node, in the namespace of containerd that the kubelet uses. */
export const ctr = ['--address', containerdSocket, '--namespace', 'k8s.io'] as const;

/** What the API server stands on, then what stands on it; those of one step are started together. */
const steps: readonly (readonly Component[])[] = [
  [
    {
      name: 'etcd',
      args: ({ dir }) => [
        `--data-dir=${join(dir, 'etcd')}`,
        '--unsafe-no-fsync', // as in tools/api-server.ts
        '--log-level=warn',
        ...['--listen-client-urls=http://127.0.0.1:2379', '--advertise-client-urls=http://127.0.0.1:2379'],
        ...['--listen-peer-urls=http://127.0.0.1:2380', '--initial-advertise-peer-urls=http://127.0.0.1:2380', '--initial-cluster=default=http://127.0.0.1:2380'],
      ],
      serves: listens(2379),
    },
    { name: 'containerd', args: (site) => ['--config', conf(site, 'containerd.toml')], serves: ({ node }) => node.enter('ctr', ...ctr, 'version').then(() => true) },
  ],
  [
    {
      name: 'kube-apiserver',
      args: (site) => [
        ...['--etcd-servers=http://127.0.0.1:2379', `--advertise-address=${site.network.node}`, '--bind-address=0.0.0.0', '--secure-port=6443'],
        ...[`--tls-cert-file=${pki(site, 'apiserver.crt')}`, `--tls-private-key-file=${pki(site, 'apiserver.key')}`],
        ...[`--client-ca-file=${pki(site, 'ca.crt')}`, '--authorization-mode=Node,RBAC', '--enable-admission-plugins=NodeRestriction'],
        ...[`--kubelet-client-certificate=${pki(site, 'admin.crt')}`, `--kubelet-client-key=${pki(site, 'admin.key')}`, `--kubelet-certificate-authority=${pki(site, 'ca.crt')}`],
        '--kubelet-preferred-address-types=InternalIP',
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        ...[`--service-account-key-file=${pki(site, 'service-account.crt')}`, `--service-account-signing-key-file=${pki(site, 'service-account.key')}`],
        ...[`--service-cluster-ip-range=${site.network.services}`, '--enable-aggregator-routing=true', '--allow-privileged=true'],
      ],
      serves: (site) => isOk(`https://${site.network.node}:6443/readyz`, { caFile: pki(site, 'ca.crt') }),
    },
  ],
  [
    {
      name: 'kube-controller-manager',
      args: (site) => [
        ...[`--kubeconfig=${pki(site, 'controller-manager.kubeconfig')}`, '--leader-elect=false', '--use-service-account-credentials=true', '--bind-address=127.0.0.1'],
        ...['--kube-api-qps=500', '--kube-api-burst=1000'], // or the first ServiceAccount takes five seconds
        ...[`--service-account-private-key-file=${pki(site, 'service-account.key')}`, `--root-ca-file=${pki(site, 'ca.crt')}`],
        '--flex-volume-plugin-dir=/var/lib/kubelet/flex',
      ],
      serves: listens(10257),
    },
    { name: 'kube-scheduler', args: (site) => [`--kubeconfig=${pki(site, 'scheduler.kubeconfig')}`, '--leader-elect=false', '--bind-address=127.0.0.1'], serves: listens(10259) },
    {
      name: 'kubelet',
      args: (site) => [`--config=${conf(site, 'kubelet.yaml')}`, `--kubeconfig=${pki(site, 'kubelet.kubeconfig')}`, `--hostname-override=${site.network.name}`, `--node-ip=${site.network.node}`],
      serves: listens(10250),
    },
    { name: 'kube-proxy', args: (site) => [`--config=${conf(site, 'kube-proxy.yaml')}`], serves: listens(10256) },
    { name: 'coredns', args: (site) => ['-conf', conf(site, 'Corefile')], serves: ({ network }) => isOk(`http://${network.node}:8181/ready`) },
  ],
];

/**
 * Starts them, and tells of each step.
 *
 * @param whenServed what has to happen once the API server answers, and before the rest is started
 */
export async function startComponents(site: Site, whenServed: () => Promise<void>): Promise<void> {
  for (const step of steps) {
    await Promise.all(step.map((component) => start(component, site)));
    if (step.some(({ name }) => name === 'kube-apiserver')) await whenServed();
  }
}

async function start({ name, args, serves }: Component, site: Site): Promise<Server> {
  return launch({
    name,
    command: 'nsenter',
    args: [...site.node.entry, name === 'containerd' ? name : await toolPath(name), ...args(site)],
    env: nodeEnvironment,
    logFile: join(site.dir, 'log', `${name}.log`),
    ready: () => serves(site),
  });
}

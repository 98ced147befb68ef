/** The files that the components of a cluster read. JSON is YAML. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyPair } from '../../src/webhook/x509.js';
import { makeClusterAuthority, type Subject } from './certificates.js';
import type { Network } from './network.js';

/** Where Debian has the plug-ins of `containernetworking-plugins`. */
export const pluginFolder = '/usr/lib/cni';
/** What every sandbox runs; it is made by us and never pulled. */
export const sandboxImage = 'localhost/pause:1';

export async function writeSettings(dir: string, network: Network): Promise<void> {
  for (const folder of ['conf', 'pki', 'cni', 'certs.d']) mkdirSync(join(dir, folder), { recursive: true });
  await writeCertificates(dir, network);
  const files: Readonly<Record<string, string>> = {
    'conf/containerd.toml': containerd(dir),
    'cni/10-pods.conflist': json(podNetwork(network)),
    'conf/kubelet.yaml': json(kubelet(dir, network)),
    'conf/kube-proxy.yaml': json(kubeProxy(dir, network)),
    'conf/Corefile': corefile(dir, network),
    'conf/names': '',
    'conf/resolv.conf': `nameserver ${network.node}\n`,
    'conf/hosts': `127.0.0.1 localhost\n${network.node} ${network.name}\n`,
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, file), text);
}

const users: Readonly<Record<string, (network: Network) => Subject>> = {
  admin: () => ({ commonName: 'admin', organization: 'system:masters' }),
  kubelet: ({ name, node }) => ({ commonName: `system:node:${name}`, organization: 'system:nodes', dns: [name], ips: [node] }),
  'controller-manager': () => ({ commonName: 'system:kube-controller-manager' }),
  scheduler: () => ({ commonName: 'system:kube-scheduler' }),
  proxy: () => ({ commonName: 'system:kube-proxy' }),
  coredns: () => ({ commonName: 'system:coredns' }),
};

const serverNames = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];

async function writeCertificates(dir: string, network: Network): Promise<void> {
  const authority = await makeClusterAuthority();
  const write = (name: string, text: string): void => writeFileSync(join(dir, 'pki', name), text, { mode: 0o600 });
  const writePair = (name: string, { certificate, privateKey }: KeyPair): void => {
    write(`${name}.crt`, certificate);
    write(`${name}.key`, privateKey);
  };
  write('ca.crt', authority.certificate);
  writePair('apiserver', await authority.issue({ commonName: 'kube-apiserver', dns: serverNames, ips: ['127.0.0.1', network.node, network.kubernetes] }));
  writePair('service-account', await authority.issue({ commonName: 'service-account' })); // a key, of which the certificate holds the public half
  for (const [user, subject] of Object.entries(users)) {
    const pair = await authority.issue(subject(network));
    writePair(user, pair);
    write(`${user}.kubeconfig`, json(kubeconfig(`https://${network.node}:6443`, authority.certificate, pair)));
  }
}

function kubeconfig(server: string, authority: string, { certificate, privateKey }: KeyPair): object {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'local',
    contexts: [{ name: 'local', context: { cluster: 'local', user: 'local' } }],
    clusters: [{ name: 'local', cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [{ name: 'local', user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(privateKey) } }],
  };
}

function containerd(dir: string): string {
  const cri = '[plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${dir}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]

[grpc]
  address = "/run/containerd/containerd.sock"

${cri}]
  sandbox_image = "${sandboxImage}"
  restrict_oom_score_adj = true # lowering a score needs CAP_SYS_RESOURCE
  ${cri}.cni]
    bin_dir = "${pluginFolder}"
    conf_dir = "${dir}/cni"
  ${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
  ${cri}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  ${cri}.registry]
    config_path = "${dir}/certs.d"
`;
}

function podNetwork({ pods }: Network): object {
  return {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      { type: 'ptp', ipam: { type: 'host-local', dataDir: '/run/cni', ranges: [[{ subnet: pods }]], routes: [{ dst: '0.0.0.0/0' }] } },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** @see https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ */
function kubelet(dir: string, { name, dns }: Network): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: `${dir}/pki/ca.crt` } },
    authorization: { mode: 'Webhook' },
    tlsCertFile: `${dir}/pki/kubelet.crt`,
    tlsPrivateKeyFile: `${dir}/pki/kubelet.key`,
    clusterDNS: [dns],
    clusterDomain: 'cluster.local',
    resolvConf: `${dir}/conf/resolv.conf`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${name}`,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    volumePluginDir: '/var/lib/kubelet/flex',
    serializeImagePulls: false,
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'nodefs.inodesFree': '1%', 'imagefs.available': '1%' },
  };
}

function kubeProxy(dir: string, { name, pods }: Network): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clusterCIDR: pods,
    hostnameOverride: name,
    clientConnection: { kubeconfig: `${dir}/pki/proxy.kubeconfig` },
    // limits of the whole machine, which a node in a network namespace cannot set
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    oomScoreAdj: 0,
  };
}

/** `template` comes last, see tools/go/coredns: a name that nobody knows does not exist. */
function corefile(dir: string, { node }: Network): string {
  return `.:53 {
  bind ${node}
  errors
  ready ${node}:8181
  hosts ${dir}/conf/names {
    reload 1s
    fallthrough
  }
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${dir}/pki/coredns.kubeconfig
    pods insecure
    fallthrough in-addr.arpa
  }
  template ANY ANY . {
    rcode NXDOMAIN
  }
}
`;
}

function json(value: object): string {
  return JSON.stringify(value, undefined, 2);
}

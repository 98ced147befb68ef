/** A real API server that holds rules of every kind and records of images, and two registries: what `kuik explain` asks. */
import { join } from 'node:path';
import { connectCluster } from '../../src/cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../src/cluster/kubernetes/kubeconfig.js';
import { imageName, knownImageRef } from '../../src/domain/image-ref.js';
import { projectRoot } from '../../tools/programs.js';
import { startApiServer, toolOutput, type ApiServer } from '../../tools/servers.js';
import { pushImages, smallImages } from './images.js';
import { Registries } from './registries.js';

export interface RulesInCluster {
  /** of somebody who may do everything */
  readonly kubeconfig: string;
  /** a Pod whose image is at its origin, and at no mirror yet */
  readonly pod: { readonly name: string; readonly namespace: string };
  close(): Promise<void>;
}

interface Held {
  /** a multiple of five: as many of each kind */
  readonly rules: number;
  readonly records: number;
}

const apiVersion = 'kuik.enix.io/v1alpha1';
const namespace = 'shop';
const atOnce = 16;

export async function openRulesInCluster(held: Held): Promise<RulesInCluster> {
  const registries = new Registries();
  const [source, mirror, api] = [await registries.open('source'), await registries.open('destination'), await startApiServer()];
  const [image] = await pushImages(source, smallImages(1));
  if (image === undefined) throw new Error('no image was made');
  await prepare(api, held, { origin: `${source.address}/${image.name}`, mirror: mirror.address });
  return {
    kubeconfig: api.kubeconfig,
    pod: { name: 'web', namespace },
    close: async () => {
      await Promise.all([api.stop(), registries.discard()]);
    },
  };
}

async function prepare(api: ApiServer, { rules, records }: Held, { origin, mirror }: { readonly origin: string; readonly mirror: string }): Promise<void> {
  const kubectl = (...args: string[]): Promise<string> => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, ...args], { timeoutMs: 300_000 });
  await kubectl('apply', '--server-side', '-f', join(projectRoot(), 'charts/kube-image-keeper/crds'));
  await kubectl('wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all');
  await kubectl('create', 'namespace', namespace);
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace }, spec: { containers: [{ name: 'web', image: origin }, { name: 'side', image: origin }] } };
  const items = [...Array.from({ length: rules }, (_each, at) => ruleNumber(at, mirror)), pod];
  await toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'create', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), timeoutMs: 300_000 });
  await putRecords(api, records, mirror);
}

/** The first one mirrors everything; all others have to be looked at, and do not match. Those of a namespace are of the Pod's. */
function ruleNumber(number: number, mirror: string): object {
  const image = number === 0 ? '.+' : `registry-${number}\\.example\\.com/.+`;
  const mirrors = [{ registry: number === 0 ? mirror : `mirror-${number}.example.com`, path: '/kept' }];
  const upstreams = ['one', 'two'].map((name) => ({ registry: `${name}-${number}.example.com`, path: '/team', imageFilter: { include: ['/team/.+'] } }));
  const filter = { include: [{ image }] };
  const kinds = [
    { kind: 'ClusterImageSetMirror', spec: { filter: { ...filter, exclude: [{ namespace: 'ci-.*' }] }, mirrors } },
    { kind: 'ImageSetMirror', namespace, spec: { filter, mirrors } },
    { kind: 'ClusterReplicatedImageSet', spec: { upstreams } },
    { kind: 'ReplicatedImageSet', namespace, spec: { upstreams } },
    { kind: 'ClusterImageSetAvailability', spec: { filter } },
  ];
  const { kind, namespace: home, spec } = kinds[number % kinds.length]!;
  return { apiVersion, kind, metadata: { name: `rule-${number}`, ...(home === undefined ? {} : { namespace: home }) }, spec };
}

/** Of images of other Pods: they are listed with the rest. */
async function putRecords(api: ApiServer, records: number, mirror: string): Promise<void> {
  const cluster = connectCluster(loadKubeConfig({ file: api.kubeconfig }));
  const left = Array.from({ length: records }, (_each, at) => imageName(knownImageRef(`registry.example.com/team-${at % 50}/app-${at}:1.${at % 9}`)));
  const put = async (): Promise<void> => {
    for (let image = left.pop(); image !== undefined; image = left.pop()) {
      const copy = imageName(knownImageRef(`${mirror}/kept/${image.slice(image.indexOf('/') + 1)}`));
      await cluster.applyUsage({ image, pods: 10, mirrors: '0/1', places: [{ reference: image, role: 'origin' }, { reference: copy, role: 'mirror', rule: 'ClusterImageSetMirror/rule-0' }], conditions: [] });
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, put));
  } finally {
    cluster.close();
  }
}

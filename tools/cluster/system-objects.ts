/** What a cluster holds before anybody uses it: names, and volumes. */
import { mkdirSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Network } from './network.js';

const volumes = 8;

/** @param dir the cluster's; the folders of its volumes are made there */
export function systemObjects(dir: string, network: Network): object {
  return { apiVersion: 'v1', kind: 'List', items: [...forNames(network), storageClass, ...Array.from({ length: volumes }, (_, at) => volume(dir, at + 1))] };
}

/** CoreDNS is a process of the node, so its Service has no Pods to select. */
function forNames({ node, dns }: Network): readonly object[] {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  const rbac = { apiGroup: 'rbac.authorization.k8s.io', name: 'system:coredns' };
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: rbac.name },
      rules: [
        { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: rbac.name }, roleRef: { ...rbac, kind: 'ClusterRole' }, subjects: [{ ...rbac, kind: 'User' }] },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'kube-dns', namespace: 'kube-system' }, spec: { clusterIP: dns, ports } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'kube-dns', namespace: 'kube-system', labels: { 'kubernetes.io/service-name': 'kube-dns' } },
      addressType: 'IPv4',
      ports,
      endpoints: [{ addresses: [node] }],
    },
  ];
}

/** The usual class, with volumes made in advance: nothing here makes them on demand. */
const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'kubernetes.io/no-provisioner',
};

function volume(dir: string, number: number): object {
  const path = join(dir, 'volumes', String(number));
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o777); // a volume of the host ignores fsGroup, and Pods of any user want one
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `volume-${number}` },
    spec: { storageClassName: 'standard', capacity: { storage: '100Gi' }, accessModes: ['ReadWriteOnce'], persistentVolumeReclaimPolicy: 'Retain', hostPath: { path } },
  };
}

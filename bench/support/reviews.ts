/** AdmissionReviews as an API server sends them, of a wanted size: the same on every machine. */
import { createHash } from 'node:crypto';

export interface SomeReview {
  /** bytes of the Pod, as JSON */
  readonly podBytes: number;
  readonly number: number;
  /** images of its containers */
  readonly images: readonly string[];
}

/** The body of a call. Beside its images a Pod is environment variables: that is what large ones consist of. */
export function aReview({ podBytes, number, images }: SomeReview): string {
  const name = `web-${number}`;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      labels: { app: 'web', 'pod-template-hash': String(number) },
      annotations: { 'example.com/revision': String(number) },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: uidOf(`owner ${number}`), controller: true }],
    },
    spec: {
      serviceAccountName: 'default',
      containers: images.map((image, at) => ({
        name: `c${at}`,
        image,
        imagePullPolicy: 'IfNotPresent',
        ports: [{ containerPort: 8080, protocol: 'TCP' }],
        resources: { limits: { memory: '128Mi' }, requests: { cpu: '100m', memory: '64Mi' } },
        env: [] as { name: string; value: string }[],
      })),
      restartPolicy: 'Always',
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
    },
  };
  for (let bytes = JSON.stringify(pod).length, at = 0; bytes < podBytes; at++) {
    const variable = { name: `SETTING_${at}`, value: uidOf(`${number} ${at}`) };
    pod.spec.containers[at % images.length]?.env.push(variable);
    bytes += JSON.stringify(variable).length + 1;
  }
  const kind = { group: '', version: 'v1', kind: 'Pod' };
  const resource = { group: '', version: 'v1', resource: 'pods' };
  const request = { uid: uidOf(name), kind, resource, requestKind: kind, requestResource: resource, name, namespace: 'shop', operation: 'CREATE', userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' }, object: pod, oldObject: null, dryRun: false, options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' } };
  return JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request });
}

function uidOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 36);
}

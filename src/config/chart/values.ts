/** The chart's values: what `values.schema.json`, the table of its README and the test of `values.yaml` come from. */
import { z } from 'zod';
import { ConfigFile } from '../schema.js';
import { flag, text, whole } from '../value-types.js';
import { env, image, passed, passedList, pdb, pod, probe, replicas, resources } from './parts.js';
import { temporalValues } from './temporal.js';

const serviceMonitor = z
  .strictObject({
    create: flag('Whether there is a ServiceMonitor per process, for the Prometheus operator.').default(false),
    scrapeInterval: text('How often.').default('60s'),
    scrapeTimeout: text('For how long.').default('30s'),
    extraLabels: passed('Labels of it.').default({}),
    relabelings: passedList('Relabelings of its targets.').default([]),
  })
  .prefault({});

const volumes = {
  extraVolumes: passedList('Volumes beside, such as for files that `configuration.registries` names.').default([]),
  extraVolumeMounts: passedList('And where they are mounted.').default([]),
};

const manager = z
  .strictObject({
    replicas: replicas(1),
    image: image('ghcr.io/enix/kube-image-keeper', ''),
    verbosity: z.unknown().meta({ description: 'debug, info, warn, error or a number, in any case; of all processes.', type: ['string', 'integer'], words: 'text' }).default('INFO'),
    imagePullSecrets: passedList('Secrets to pull the images of this chart with.').default([]),
    deploymentStrategy: passed('Strategy of the Deployment.').default({}),
    env,
    ...pod,
    pdb: pdb({ create: false, minAvailable: 1, maxUnavailable: '' }),
    // two minutes to start on a busy node, during which nobody takes it for dead
    startupProbe: probe('/healthz', { periodSeconds: 2, failureThreshold: 60 }),
    readinessProbe: probe('/readyz', { periodSeconds: 5 }),
    livenessProbe: probe('/healthz'),
    resources: resources('100m', '256Mi', '512Mi'),
    ...volumes,
    serviceMonitor,
    webhook: z
      .strictObject({
        namespaceSelector: passed('Namespaces whose Pods are routed, beside "not labelled `kuik.enix.io/ignore=true`".').default({}),
        createCertificateIssuer: flag('With `certificates.mode: certManager`, whether the chart makes a self-signed Issuer; `false` implies that mode.').default(true),
        certificateIssuerRef: passed('The Issuer otherwise.').default({ kind: 'Issuer', name: 'kube-image-keeper-selfsigned-issuer' }),
      })
      .prefault({}),
  })
  .prefault({});

/** As the manager's where they are left out. */
const inherited = {
  imagePullSecrets: passedList("Default: the manager's.").optional(),
  podAnnotations: passed("Default: the manager's.").optional(),
  podSecurityContext: passed("Default: the manager's.").optional(),
  securityContext: passed("Default: the manager's.").optional(),
  nodeSelector: passed("Default: the manager's.").optional(),
  tolerations: passedList("Default: the manager's.").optional(),
  affinity: passed("Default: the manager's.").optional(),
  topologySpreadConstraints: passedList("Default: the manager's.").optional(),
  priorityClassName: text("Default: the manager's.").optional(),
  deploymentStrategy: passed("Default: the manager's.").optional(),
  env: passedList("Default: the manager's.").optional(),
  startupProbe: passed("Default: the manager's.").optional(),
  readinessProbe: passed("Default: the manager's.").optional(),
  livenessProbe: passed("Default: the manager's.").optional(),
  extraVolumes: passedList("Default: the manager's.").optional(),
  extraVolumeMounts: passedList("Default: the manager's.").optional(),
};

const webhook = z
  .strictObject({
    replicas: replicas(2),
    timeoutSeconds: whole('How long the API server waits for an answer; kuik takes a second less.', 2, 10).default(3),
    pdb: pdb({ create: true, minAvailable: 1, maxUnavailable: 1 }),
    resources: resources('100m', '128Mi', '256Mi'),
    serviceAccount: z
      .strictObject({
        create: flag('Whether the webhook gets a ServiceAccount of its own.').default(true),
        name: text('Its name. Default: `<full name>-webhook`.').default(''),
        annotations: passed('Its annotations.').default({}),
      })
      .prefault({}),
    ...inherited,
  })
  .prefault({});

const certificates = z
  .strictObject({
    mode: z
      .enum(['self', 'certManager', 'provided'])
      .meta({ description: '`self`: kuik makes and rotates its own. `certManager`: a Certificate of cert-manager. `provided`: a Secret of yours.' })
      .default('self'),
    provided: z
      .strictObject({
        secretName: text('Secret of type kubernetes.io/tls, for the name of the Service `<full name>-webhook`.').default(''),
        caBundle: text('PEM of its authority, if the Secret has no `ca.crt` for the manager to publish.').default(''),
      })
      .prefault({}),
  })
  .prefault({});

export const ChartValues = z.strictObject({
  nameOverride: text('Name of the chart in labels and names.').default(''),
  fullnameOverride: text('What the names of all objects begin with. Default: the release and the chart.').default(''),
  global: z.strictObject({ imageRegistry: text('Registry all images of the chart are pulled from.').default('') }).prefault({}),
  singleProcess: flag('Whether webhook and manager are one process, `kuik run`: for a laptop.').default(false),
  configuration: z.unknown().meta({ description: 'The configuration file, see docs/reference/configuration.md; `temporal` is filled in by the chart.', words: 'configuration' }).default({}),
  manager,
  webhook,
  certificates,
  rbac: z
    .strictObject({
      create: flag('Whether there are roles and bindings.').default(true),
      secretPolicy: flag('Whether a ValidatingAdmissionPolicy lets our processes write no Secrets but their copies of pull Secrets and their own.').default(true),
      secretNamespaces: z.array(z.string()).meta({ description: 'Namespaces whose Secrets kuik may read and write, by name. Empty: all.' }).default([]),
    })
    .prefault({}),
  serviceAccount: z
    .strictObject({
      create: flag('Whether the manager gets a ServiceAccount of its own.').default(true),
      name: text('Its name. Default: `<full name>-manager`.').default(''),
      annotations: passed('Its annotations.').default({}),
      extraLabels: passed('Labels of all ServiceAccounts.').default({}),
    })
    .prefault({}),
  networkPolicy: z
    .strictObject({
      create: flag('Whether NetworkPolicies narrow who may speak to the Pods of the chart.').default(true),
      metricsFrom: passedList('Peers of a NetworkPolicy that may read metrics. Empty: everybody.').default([]),
    })
    .prefault({}),
  flowSchema: z
    .strictObject({
      create: flag('Whether a FlowSchema puts our requests to the API server into a priority level of their own choice, for a cluster whose API server is often busy.').default(false),
      priorityLevel: text('A PriorityLevelConfiguration there is.').default('workload-high'),
      matchingPrecedence: whole('The smaller comes first.', 1, 10_000).default(1_000),
    })
    .prefault({}),
  metrics: z
    .strictObject({ secure: flag('Whether metrics are served over HTTPS, to whom the ClusterRole `<full name>-metrics-reader` is bound. Those of the Temporal SDK, at a port of their own, never are.').default(false) })
    .prefault({}),
  crds: z
    .strictObject({ upgrade: flag('Whether the leading manager brings the definitions of our kinds up to its own version, since Helm installs them once and never again. It never goes back from a later one.').default(true) })
    .prefault({}),
  prometheusRule: z
    .strictObject({
      create: flag('Whether there is a PrometheusRule with our alerts, for the Prometheus operator.').default(false),
      extraLabels: passed('Labels of it.').default({}),
    })
    .prefault({}),
  dashboards: z
    .strictObject({
      create: flag('Whether there is a ConfigMap per dashboard, for the sidecar of Grafana.').default(false),
      labels: passed('Labels by which the sidecar finds them.').default({ grafana_dashboard: '1' }),
      annotations: passed('Annotations, such as for the folder they go to.').default({}),
    })
    .prefault({}),
  check: z
    .strictObject({
      create: flag('Whether a Job looks, after an installation or an upgrade, that a Pod is routed. It fails the release otherwise.').default(true),
      timeout: text('How long it tries.').default('5m'),
    })
    .prefault({}),
  cleanup: z.strictObject({ create: flag('Whether a Job takes the registration and our finalizers away before the release is deleted.').default(true) }).prefault({}),
  temporal: temporalValues,
});

/** Schema of the value `configuration`. */
export const configuration = ConfigFile;

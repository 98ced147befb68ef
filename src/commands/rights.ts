/** What the code asks the API server for. The chart's roles grant this and nothing else; `kuik check` looks whether they do. */
import type { Cluster } from '../cluster/cluster.js';
import { watchedTypes, type ResourceType } from '../cluster/kubernetes/resources.js';
import { ruleKinds } from '../domain/rule.js';
import { workloadKinds } from '../domain/usage.js';

/** `get pods`, `patch imageavailabilities.kuik.enix.io/status`, ... */
export type Right = string;
/** everywhere, in the install namespace, in any namespace but only of Secrets, of one object, or of the definitions of our kinds */
export type Scope = 'cluster' | 'install' | 'secrets' | 'webhook' | 'definitions';

interface Need {
  readonly scope: Scope;
  readonly rights: readonly Right[];
}

const cluster = (...rights: Right[]): Need => ({ scope: 'cluster', rights });
const install = (...rights: Right[]): Need => ({ scope: 'install', rights });
const secrets = (...rights: Right[]): Need => ({ scope: 'secrets', rights: rights.map((verb) => `${verb} secrets`) });
const webhook = (...rights: Right[]): Need => ({ scope: 'webhook', rights: rights.map((verb) => `${verb} mutatingwebhookconfigurations.admissionregistration.k8s.io`) });
const records = 'imageavailabilities.kuik.enix.io';
const rules = ruleKinds.map((kind) => resourceText(watchedTypes[kind]));
const nothing: readonly Need[] = [];

/** By method of the port, as `src/cluster/kubernetes` carries it out. Which kinds are watched and listed is the caller's choice. */
export const asksFor = {
  watch: nothing,
  list: nothing,
  watchHealth: nothing,
  pod: [cluster('get pods')],
  namespaceUid: [cluster('get namespaces')],
  secret: [secrets('get')],
  applySecret: [secrets('get', 'create', 'patch')],
  createSecret: [secrets('create')],
  deleteSecret: [secrets('delete')],
  configMap: [install('get configmaps')],
  setConfigMap: [install('patch configmaps', 'create configmaps')],
  annotateConfigMap: [install('patch configmaps')],
  record: [cluster(`get ${records}`)],
  applyUsage: [cluster(`create ${records}`, `patch ${records}`, `patch ${records}/status`)],
  changePlace: [cluster(`get ${records}`, `patch ${records}/status`)],
  deleteRecord: [cluster(`delete ${records}`)],
  annotateRecord: [cluster(`patch ${records}`)],
  takeAnnotation: [cluster(`get ${records}`, `patch ${records}`)],
  applyRuleStatus: [cluster(...rules.flatMap((rule) => [`patch ${rule}`, `patch ${rule}/status`]))],
  setFinalizer: [cluster(...rules.flatMap((rule) => [`get ${rule}`, `patch ${rule}`]))],
  changeNote: [install('get leases.coordination.k8s.io', 'create leases.coordination.k8s.io', 'update leases.coordination.k8s.io')],
  registeredWebhook: [webhook('get')],
  applyWebhookConfiguration: [webhook('patch')],
  emitEvent: [cluster('create events.events.k8s.io', 'patch events.events.k8s.io')],
} satisfies Record<keyof Cluster, readonly Need[]>;

export type Method = keyof typeof asksFor;

/** Beyond the port: the election. */
const election = asksFor.changeNote;
/** The upgrade of our definitions, unless it is turned off. */
const definitions: Need = { scope: 'definitions', rights: ['get customresourcedefinitions.apiextensions.k8s.io', 'patch customresourcedefinitions.apiextensions.k8s.io'] };
/** And who reads metrics, with `-metrics-secure`. */
const accessReview = cluster('create tokenreviews.authentication.k8s.io', 'create subjectaccessreviews.authorization.k8s.io');

const watched = (kinds: readonly (keyof typeof watchedTypes)[]): Need => cluster(...kinds.flatMap((kind) => [`list ${resourceText(watchedTypes[kind])}`, `watch ${resourceText(watchedTypes[kind])}`]));
const pictures = [...ruleKinds, 'ImageAvailability', 'Namespace'] as const;

/** Which methods each process calls, found in the code by `rights.test.ts`. */
export const calls: Readonly<Record<'manager' | 'webhook', readonly Method[]>> = {
  manager: [
    'annotateConfigMap', 'applyRuleStatus', 'applySecret', 'applyUsage', 'applyWebhookConfiguration', 'changeNote', 'changePlace', 'configMap', 'createSecret', 'deleteRecord', 'deleteSecret', 'emitEvent', 'list',
    'namespaceUid', 'record', 'registeredWebhook', 'secret', 'setConfigMap', 'setFinalizer', 'takeAnnotation', 'watch', 'watchHealth',
  ],
  webhook: ['applySecret', 'applyWebhookConfiguration', 'deleteSecret', 'secret', 'watch', 'watchHealth'],
};

/** What a process as the chart starts it never comes to: only outside a cluster the webhook registers itself. */
const inTheChart = (process: 'manager' | 'webhook'): readonly Method[] => calls[process].filter((method) => process === 'manager' || method !== 'applyWebhookConfiguration');

const kindsWatched = {
  manager: [...pictures, 'Pod'],
  webhook: pictures,
} as const;

/** @param options of the configuration that ask for more */
export function neededBy(process: 'manager' | 'webhook', options: { readonly nodes?: true; readonly workloads?: true; readonly secureMetrics?: true; readonly keepsDefinitions?: true } = {}): ReadonlyMap<Scope, ReadonlySet<Right>> {
  const more = process === 'webhook' ? [] : [...(options.nodes ? (['Node'] as const) : []), ...(options.workloads ? workloadKinds : [])];
  const needs = [...inTheChart(process).flatMap((method) => asksFor[method]), watched([...kindsWatched[process], ...more]), ...(process === 'manager' ? [...election, ...(options.keepsDefinitions ? [] : [definitions])] : []), ...(options.secureMetrics ? [accessReview] : [])];
  return gather(needs.map(({ scope, rights }) => [scope, rights] as const));
}

export function gather(parts: readonly (readonly [Scope, readonly Right[]])[]): ReadonlyMap<Scope, ReadonlySet<Right>> {
  const all = new Map<Scope, Set<Right>>();
  for (const [scope, rights] of parts) all.set(scope, new Set([...(all.get(scope) ?? []), ...rights]));
  return all;
}

function resourceText({ group, plural }: ResourceType): string {
  return group === '' ? plural : `${plural}.${group}`;
}

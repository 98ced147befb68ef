/** `kuik check --pre`: whether a cluster is fit for an installation. */
import { webhookType, type ResourceType } from '../../cluster/kubernetes/resources.js';
import { webhookConfigurationName } from '../webhook-names.js';
import { bad, good, hidden, orHidden, type Asking, type Finding } from './finding.js';

const policies: ResourceType = { group: 'admissionregistration.k8s.io', version: 'v1', plural: 'validatingadmissionpolicies', kind: 'ValidatingAdmissionPolicy' };
const storageClasses: ResourceType = { group: 'storage.k8s.io', version: 'v1', plural: 'storageclasses', kind: 'StorageClass' };

/** What an installation makes beside what a namespace holds: it takes an administrator. */
const made = [
  { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
  { group: 'admissionregistration.k8s.io', resource: 'mutatingwebhookconfigurations' },
  { group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
  { group: 'rbac.authorization.k8s.io', resource: 'clusterrolebindings' },
] as const;

export const fitness: Readonly<Record<string, (asking: Asking) => Promise<Finding>>> = {
  kubernetes: checkKubernetes,
  rights: checkRights,
  names: checkNames,
  storage: checkStorage,
};

/** The chart wants 1.30; what that release brought is there, or is not. */
async function checkKubernetes({ cluster }: Asking): Promise<Finding> {
  return orHidden(async () => ((await cluster.objects(policies)) === undefined ? bad('the API server is older than 1.30', 'upgrade the cluster first') : good('the API server is 1.30 or newer')));
}

async function checkRights({ cluster }: Asking): Promise<Finding> {
  const answers = await Promise.all(made.map(async (each) => ({ ...each, isAllowed: await cluster.mayI({ ...each, verb: 'create' }) })));
  const refused = answers.filter(({ isAllowed }) => !isAllowed).map(({ resource }) => resource);
  return refused.length === 0 ? good('you may make what belongs to no namespace') : bad(`you may not create ${refused.join(', ')}`, 'have an administrator install kuik; afterwards rules of a namespace are for its own people to write');
}

/** v1 gave its registration the name that ours would have, and Helm takes over nothing of another release. */
async function checkNames({ cluster, fullName, installNamespace }: Asking): Promise<Finding> {
  const name = webhookConfigurationName({ environment: { fullName, installNamespace } });
  return orHidden(async () => {
    if ((await cluster.object(webhookType, { name })) === undefined || (await cluster.registeredWebhook(name)) !== undefined) return good(`the name ${name} is ours to have`);
    return bad(`mutatingwebhookconfiguration/${name} is there, of v1 or somebody else`, 'install as a release of another name, such as kuik, and tell commands with KUIK_FULL_NAME=kuik-kube-image-keeper');
  });
}

/** Where the database of Temporal keeps its files. */
async function checkStorage({ cluster }: Asking): Promise<Finding> {
  return orHidden(async () => {
    const classes = (await cluster.objects(storageClasses)) ?? [];
    const usual = classes.find(({ metadata }) => metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true');
    if (usual !== undefined) return good(`volumes are of the class ${usual.metadata.name} unless told`);
    if (classes.length === 0) return hidden('there is no StorageClass: fine with temporal.mode external, or with temporal.database.host');
    return bad('no StorageClass is the usual one', 'set temporal.postgresql.storage.storageClassName, or bring a database or a Temporal of your own');
  });
}

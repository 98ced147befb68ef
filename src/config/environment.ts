/** The environment, apart from the configuration: the schemas of that are slow to load, and `kuik copy` needs none of them. */
import { isIP } from 'node:net';
import { readFile } from './read-file.js';

/** What the environment says. */
export interface Environment {
  /** where kuik is installed */
  readonly installNamespace: string;
  /** what the names of the chart's objects begin with */
  readonly fullName: string;
  /** whether somebody said so */
  readonly isFullNameTold: boolean;
  /** the Secret of the bundled database, whose password the manager makes; absent: somebody else's business */
  readonly databaseSecret?: string;
  /** the leading manager brings our definitions up to its version */
  readonly upgradesDefinitions: boolean;
  readonly kubeconfig?: string;
  /** of the user, whose `.kube/config` comes after KUBECONFIG */
  readonly home?: string;
  /** `ENABLE_WEBHOOKS=false`: `kuik run` without webhook */
  readonly webhooksEnabled: boolean;
  readonly proxy: { readonly http?: string; readonly https?: string; readonly no?: string };
  /** of the API server of the cluster we run in, when the variable holds one */
  readonly apiServerAddress?: string;
  readonly colourAllowed: boolean;
}

const usualInstallNamespace = 'kuik-system';
const usualFullName = 'kube-image-keeper';

/** @see https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
const namespaceFile = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

export function readEnvironment(environment: Readonly<Record<string, string | undefined>> = process.env): Environment {
  // as Go does: upper case first, empty counts as unset
  const either = (name: string): string | undefined => environment[name] || environment[name.toLowerCase()] || undefined;
  return {
    installNamespace: environment['POD_NAMESPACE'] || readFile(namespaceFile)?.trim() || usualInstallNamespace,
    fullName: environment['KUIK_FULL_NAME'] || usualFullName,
    isFullNameTold: Boolean(environment['KUIK_FULL_NAME']),
    databaseSecret: environment['KUIK_DATABASE_SECRET'] || undefined,
    upgradesDefinitions: environment['KUIK_UPGRADE_DEFINITIONS'] === 'true',
    kubeconfig: environment['KUBECONFIG'] || undefined,
    home: environment['HOME'] || undefined,
    webhooksEnabled: environment['ENABLE_WEBHOOKS'] !== 'false',
    proxy: { http: either('HTTP_PROXY'), https: either('HTTPS_PROXY'), no: either('NO_PROXY') },
    apiServerAddress: isIP(environment['KUBERNETES_SERVICE_HOST'] ?? '') === 0 ? undefined : environment['KUBERNETES_SERVICE_HOST'],
    colourAllowed: !environment['NO_COLOR'],
  };
}

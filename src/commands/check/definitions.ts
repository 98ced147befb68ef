import { kinds } from '../../api/v1alpha1/kinds.js';
import { apiGroup } from '../../domain/names.js';
import { compareVersions } from '../../domain/version.js';
import { amount, bad, good, type Asking, type Finding } from './finding.js';

/** Whether our kinds are there, and as new as this command knows them. */
export async function checkDefinitions({ cluster, version }: Asking): Promise<Finding> {
  const names = kinds.map(({ plural }) => `${plural}.${apiGroup}`);
  const found = await Promise.all(names.map(async (name) => ({ name, definition: await cluster.definition(name) })));

  const missing = found.filter(({ definition }) => definition === undefined);
  if (missing.length > 0) return bad(`missing: ${listed(missing)}`, 'kubectl apply --server-side --force-conflicts -f the folder crds of the chart: Helm installs it once, and never again');
  const old = found.filter(({ definition }) => isOlder(definition?.version, version));
  if (old.length > 0) return bad(`older than ${version}: ${listed(old)}`, 'if kuik is installed in this version, kubectl apply --server-side --force-conflicts -f the folder crds of the chart, or let the manager do it with crds.upgrade; otherwise this command is newer than what it looks at');
  const versions = [...new Set(found.map(({ definition }) => definition?.version ?? ''))];
  return good(`${amount(found.length, 'definition')} of version ${versions.join(', ')}`);
}

/** Those that do not say were written before definitions said so. */
function isOlder(theirs: string | undefined, ours: string): boolean {
  return theirs === undefined || (compareVersions(theirs, ours) ?? 0) < 0;
}

function listed(found: readonly { readonly name: string }[]): string {
  return found.map(({ name }) => name).join(', ');
}

import type { Deed } from '../../cluster/kubernetes/access.js';
import { kinds } from '../../api/v1alpha1/kinds.js';
import { apiGroup } from '../../domain/names.js';
import { neededBy, type Right, type Scope } from '../rights.js';
import { webhookConfigurationName } from '../webhook-names.js';
import { amount, bad, good, hidden, type Asking, type Finding } from './finding.js';
import { podsOf } from './pods.js';

const processes = ['manager', 'webhook'] as const;
const atOnce = 8;

/** Whether the roles grant what the code asks for: of the accounts that Pods of ours run as. */
export async function checkRights(asking: Asking): Promise<Finding> {
  const found = await Promise.all(processes.map(async (process) => ({ process, pods: await podsOf(process, asking) })));
  const running = found.flatMap(({ process, pods }) => (pods === 'hidden' || pods[0] === undefined ? [] : [{ process, account: pods[0].account }]));
  if (running.length === 0) return hidden('no Pod of ours tells which account it runs as');

  const missing: string[] = [];
  let asked = 0;
  for (const { process, account } of running) {
    const questions = [...neededBy(process, { keepsDefinitions: true })].flatMap(([scope, rights]) => [...rights].map((right) => ({ scope, right })));
    asked += questions.length;
    missing.push(...(await refused(questions, account, asking)).map((right) => `the ${process} may not ${right}`));
  }
  if (missing.length > 0) return bad(missing.join(', '), 'helm upgrade restores the roles; with rbac.create=false they are yours to grant');
  return good(`${running.map(({ process }) => process).join(' and ')} may do what ${running.length === 1 ? 'it asks' : 'they ask'} for, ${amount(asked, 'right')}`);
}

interface AskedRight {
  readonly scope: Scope;
  readonly right: Right;
}

async function refused(questions: readonly AskedRight[], account: string, asking: Asking): Promise<readonly Right[]> {
  const left = [...questions];
  const found: Right[] = [];
  const worker = async (): Promise<void> => {
    for (let question = left.shift(); question !== undefined; question = left.shift()) if (!(await isGranted(question, account, asking))) found.push(question.right);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return found.sort();
}

/** Of Secrets those of our own namespace are enough: `rbac.secretNamespaces` may have narrowed the rest. */
async function isGranted({ scope, right }: AskedRight, name: string, { cluster, installNamespace, fullName }: Asking): Promise<boolean> {
  const account = { namespace: installNamespace, name };
  const deed = deedOf(right);
  const may = (where: Partial<Deed>): Promise<boolean> => cluster.mayAccount(account, { ...deed, ...where });
  switch (scope) {
    case 'cluster':
      return may({});
    case 'install':
      return may({ namespace: installNamespace });
    case 'secrets':
      return (await may({})) || may({ namespace: installNamespace });
    case 'webhook':
      return may({ name: webhookConfigurationName({ environment: { fullName, installNamespace } }) });
    case 'definitions':
      return (await Promise.all(kinds.map(({ plural }) => may({ name: `${plural}.${apiGroup}` })))).every((isAllowed) => isAllowed);
  }
}

/** `patch imageavailabilities.kuik.enix.io/status` */
function deedOf(right: Right): Deed {
  const [, verb = '', resource = '', group = '', subresource] = /^(\S+) ([^./]+)(?:\.([^/]+))?(?:\/(\S+))?$/.exec(right) ?? [];
  return { verb, group, resource, ...(subresource === undefined ? {} : { subresource }) };
}

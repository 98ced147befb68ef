import process from 'node:process';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { RuleRef, Suspension } from '../../cluster/kubernetes/rule.js';
import { annotations } from '../../domain/names.js';
import type { ImageRecord } from '../../domain/record.js';
import { ruleText } from '../../domain/rule.js';
import { askCluster } from '../ask-cluster.js';
import { columns } from '../columns.js';
import { cliVersion, complain } from '../command-line.js';
import type { PausedList } from '../documents/requests.js';
import { findImages, recordText } from '../find-images.js';
import { isData, printDocument } from '../output.js';
import type { PauseOptions, Verb } from '../pause.js';
import { isMisnamedRule, namedRule, ruleName } from './named-rule.js';

/** One line of what was done. */
interface Done {
  readonly subject: string;
  /** as `-o name` prints it */
  readonly name: string;
  readonly state: 'paused' | 'running';
  readonly changed: boolean;
}

export async function runPause(verb: Verb, subjects: readonly string[], options: PauseOptions): Promise<number> {
  return askCluster(verb, options, async (cluster) => {
    const named = subjects.map((text) => namedRule(text, options.namespace ?? cluster.namespace));
    const misnamed = subjects.filter(isMisnamedRule);
    const { records, problems } = await findImages(subjects.filter((text, at) => named[at] === undefined && !misnamed.includes(text)), cluster);
    const all = [...misnamed.map((text) => `${text}: no rule has such a name; kubectl get kuik -A lists them`), ...problems];
    if (all.length > 0) return complain(verb, ...all); // nothing is paused when one of several cannot be

    const done: Done[] = [];
    for (const record of records) done.push(await pauseImage(record, verb, options, cluster));
    const refused: string[] = [];
    for (const rule of named.filter((each) => each !== undefined)) {
      const suspension = await cluster.suspendRule(rule, verb === 'pause', { dryRun: options.dryRun });
      const problem = problemOf(rule, verb, suspension);
      if (problem === undefined) done.push({ subject: ruleText(rule), name: ruleName(rule), state: verb === 'pause' ? 'paused' : 'running', changed: suspension.outcome === 'changed' });
      else refused.push(problem);
      const keeper = suspension.keptBy;
      if (problem === undefined && suspension.outcome === 'changed' && keeper !== undefined) process.stderr.write(`kuik ${verb}: ${ruleText(rule)} is kept by ${keeper}, which may undo this; set spec.suspend there as well\n`);
    }
    await print(done, options);
    return refused.length === 0 ? 0 : complain(verb, ...refused);
  });
}

async function pauseImage(record: ImageRecord, verb: Verb, { dryRun }: PauseOptions, cluster: Pick<KubernetesCluster, 'annotateRecord'>): Promise<Done> {
  const wanted = verb === 'pause';
  const changed = (record.paused === true) !== wanted;
  // what failed before would wait for its next attempt, hours perhaps: who lets an image go on means now
  const asked = wanted ? { [annotations.paused]: 'true' } : { [annotations.paused]: undefined, [annotations.requestedAt]: new Date(Date.now()).toISOString() };
  if (changed && dryRun !== 'client') await cluster.annotateRecord(record.image, asked, { dryRun: dryRun === 'server' });
  return { subject: record.image, name: recordText(record), state: wanted ? 'paused' : 'running', changed };
}

function problemOf(rule: RuleRef, verb: Verb, { outcome, owners = [] }: Suspension): string | undefined {
  if (outcome === 'absent') return `${ruleText(rule)}: there is no such rule; kubectl get kuik -A lists them`;
  if (outcome !== 'owned') return undefined;
  return `${ruleText(rule)}: spec.suspend is set by ${owners.join(', ')}; set it to ${verb === 'pause'} there`;
}

async function print(done: readonly Done[], { output, dryRun }: PauseOptions): Promise<void> {
  if (isData(output)) return printDocument({ apiVersion: cliVersion, kind: 'PausedList', items: done.map(({ subject, state, changed }) => ({ subject, state, changed })) } satisfies PausedList, output);
  if (output === 'name') return void process.stdout.write(done.map(({ name }) => `${name}\n`).join(''));
  if (done.length === 0) return;
  const note = dryRun === 'none' ? '' : ` (${dryRun} dry run)`;
  process.stdout.write(columns([['WHAT', 'STATE'], ...done.map(({ subject, state, changed }) => [subject, `${changed ? state : `${state} already`}${note}`])]));
}

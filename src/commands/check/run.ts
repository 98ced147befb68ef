import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnvironment } from '../../config/environment.js';
import { askCluster } from '../ask-cluster.js';
import { parts, type CheckOptions, type Part } from '../check.js';
import { columns } from '../columns.js';
import { cliVersion, complain } from '../command-line.js';
import type { Check } from '../documents/check.js';
import { findInstallation } from '../find-installation.js';
import { isData, printDocument } from '../output.js';
import { readBuild } from '../version.js';
import { checkDefinitions } from './definitions.js';
import { orHidden, type Asked, type Asking, type Finding } from './finding.js';
import { fitness } from './fitness.js';
import { checkManager, checkTemporal } from './manager.js';
import { checkRights } from './rights.js';
import { checkCredentials, checkRegistries } from './rules.js';
import { checkCertificate, checkWebhook } from './webhook.js';

type Look = (asking: Asking) => Promise<Finding>;

const looks: Readonly<Record<Part, Look>> = {
  definitions: checkDefinitions,
  webhook: checkWebhook,
  certificate: checkCertificate,
  manager: checkManager,
  rights: checkRights,
  temporal: checkTemporal,
  registries: checkRegistries,
  credentials: checkCredentials,
};

/** What comes by itself once an installation has begun; a Secret that is missing does not. */
const arriving: readonly string[] = ['definitions', 'webhook', 'certificate', 'manager', 'temporal'] satisfies readonly Part[];
const lookEveryMs = 2_000;

export async function runCheck(options: CheckOptions): Promise<number> {
  const told = readEnvironment();
  const { installNamespace } = told;
  const { namespace = installNamespace, pre = false, only = parts } = options;
  const chosen: Readonly<Record<string, Look>> = pre ? fitness : Object.fromEntries(parts.filter((part) => only.includes(part)).map((part) => [part, looks[part]]));
  return askCluster('check', options, async (cluster, signal) => {
    const environment = pre ? told : await findInstallation(cluster, told);
    if (typeof environment === 'string') return complain('check', environment);
    const { fullName } = environment;
    const over = AbortSignal.any([signal, AbortSignal.timeout(options.timeout)]);
    const look = (): Promise<Check['parts']> => lookAtAll(chosen, { cluster, installNamespace, fullName, namespace, version: readBuild().version, now: Date.now() });
    const found = await lastLook(look, over);
    const check: Check = { apiVersion: cliVersion, kind: 'Check', healthy: found.every(({ state }) => state !== 'bad'), namespace: installNamespace, parts: found };
    if (isData(options.output)) await printDocument(check, options.output);
    else process.stdout.write(checkTable(check));
    return check.healthy ? 0 : 2;
  });
}

async function lookAtAll(chosen: Readonly<Record<string, Look>>, asking: Asking & { readonly cluster: Asked }): Promise<Check['parts']> {
  return Promise.all(Object.entries(chosen).map(async ([part, look]) => ({ part, ...(await orHidden(() => look(asking))) })));
}

/** Until nothing that could still come is bad, or the time is over. */
async function lastLook(look: () => Promise<Check['parts']>, over: AbortSignal): Promise<Check['parts']> {
  for (;;) {
    const found = await look();
    if (over.aborted || !found.some(({ part, state }) => state === 'bad' && arriving.includes(part))) return found;
    await sleep(lookEveryMs, undefined, { signal: over }).catch(() => undefined);
  }
}

/** The parts, and below them what to do. */
export function checkTable({ parts: found }: Pick<Check, 'parts'>): string {
  const table = columns([['PART', 'STATE', 'FOUND'], ...found.map(({ part, state, what }) => [part, state, what])]);
  const steps = found.filter(({ next }) => next !== undefined).map(({ part, next }) => `${part}: ${next}\n`);
  return steps.length === 0 ? table : `${table}\n${steps.join('')}`;
}

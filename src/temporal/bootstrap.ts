/**
 * Prepares a Temporal namespace: it exists, keeps closed runs for a week, and knows our search attributes. Every
 * step may be repeated. Where we are not allowed to, the commands for somebody who is are logged, and keepers run
 * without attributes.
 */
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes.js';
import { msToTs } from '@temporalio/common/lib/time.js';
import { connectionOptions, type Endpoint } from './connection.js';
import { searchAttributes } from './contract.js';
import type { TemporalLog } from './logger.js';

export interface BootstrapOptions {
  readonly endpoint: Endpoint;
  readonly log: TemporalLog;
  readonly signal: AbortSignal;
  /** resolves after so many milliseconds, or when the signal aborts */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface Prepared {
  readonly searchable: boolean;
}

const retentionMs = 7 * 24 * 60 * 60 * 1000; // how long a failed run can be looked at and reset
const deadlineMs = 60_000; // of all steps together: a server that takes 5 s for each is slow, not away
const longestPauseMs = 30_000;

/** Tries for as long as the server is away. @returns undefined when the signal aborted first */
export async function prepareNamespace(options: BootstrapOptions): Promise<Prepared | undefined> {
  const { endpoint, log, signal, sleep } = options;
  for (let pauseMs = 500; !signal.aborted; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    const connection = Connection.lazy(connectionOptions(endpoint));
    try {
      return await connection.withDeadline(Date.now() + deadlineMs, () => connection.withAbortSignal(signal, () => prepare(connection, options)));
    } catch (error) {
      if (signal.aborted) return undefined;
      log.warn({ address: endpoint.address, status: statusOf(error) }, 'temporal is not ready, trying again');
    } finally {
      await connection.close();
    }
    await sleep(pauseMs, signal);
  }
  return undefined;
}

async function prepare(connection: Connection, options: BootstrapOptions): Promise<Prepared> {
  await unlessDenied(() => ensureNamespace(connection, options.endpoint.namespace), () => explainNamespace(options));
  const missing = await missingAttributes(connection, options.endpoint.namespace);
  if (missing.length === 0) return { searchable: true };
  const added = await unlessDenied(() => addAttributes(connection, options.endpoint.namespace, missing), () => explainAttributes(options, missing));
  return { searchable: added };
}

async function ensureNamespace({ workflowService }: Connection, namespace: string): Promise<void> {
  const retention = msToTs(retentionMs);
  try {
    const { config } = await workflowService.describeNamespace({ namespace });
    const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
    // development servers start with a day
    if (seconds * 1000 < retentionMs) await workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: retention } });
  } catch (error) {
    if (statusOf(error) !== grpc.notFound) throw error;
    await workflowService.registerNamespace({ namespace, description: 'kube-image-keeper', workflowExecutionRetentionPeriod: retention }).catch((refusal: unknown) => {
      if (statusOf(refusal) !== grpc.alreadyExists) throw refusal; // another replica was faster
    });
  }
}

type AttributeName = keyof typeof searchAttributes;

async function missingAttributes({ operatorService }: Connection, namespace: string): Promise<AttributeName[]> {
  const names = Object.keys(searchAttributes) as AttributeName[];
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    return names.filter((name) => !Object.hasOwn(customAttributes ?? {}, name));
  } catch (error) {
    if (isDenied(error)) return names; // managed servers hide the operator's service
    throw error;
  }
}

async function addAttributes({ operatorService }: Connection, namespace: string, missing: readonly AttributeName[]): Promise<void> {
  const types = missing.map((name) => [name, encodeSearchAttributeIndexedValueType(searchAttributes[name]) ?? 0] as const);
  await operatorService.addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(types) }).catch((error: unknown) => {
    if (statusOf(error) !== grpc.alreadyExists) throw error;
  });
}

/** @returns whether it was allowed */
async function unlessDenied(step: () => Promise<void>, explain: () => void): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    if (!isDenied(error)) throw error;
    explain();
    return false;
  }
}

function explainNamespace({ endpoint: { namespace }, log }: BootstrapOptions): void {
  log.warn({ command: `temporal operator namespace create --namespace ${namespace} --retention 7d` }, 'not allowed to prepare the namespace of temporal; run this where it is allowed');
}

function explainAttributes({ endpoint: { namespace }, log }: BootstrapOptions, missing: readonly AttributeName[]): void {
  const spelled = (type: string): string => type.split('_').map((word) => word.charAt(0) + word.slice(1).toLowerCase()).join('');
  const attributes = missing.map((name) => `--name ${name} --type ${spelled(searchAttributes[name])}`).join(' ');
  log.warn({ command: `temporal operator search-attribute create --namespace ${namespace} ${attributes}` }, 'not allowed to add search attributes to temporal; keepers run without them until somebody does');
}

/** @see https://grpc.io/docs/guides/status-codes/ */
const grpc = { notFound: 5, alreadyExists: 6, permissionDenied: 7, unimplemented: 12 } as const;

function statusOf(error: unknown): number | undefined {
  for (let each: unknown = error; each instanceof Error; each = each.cause) if (isGrpcServiceError(each)) return each.code;
  return undefined;
}

function isDenied(error: unknown): boolean {
  const status = statusOf(error);
  return status === grpc.permissionDenied || status === grpc.unimplemented;
}

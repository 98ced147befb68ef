import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { searchAttributes } from '../src/temporal/contract.js';
import { scratchFolder } from './guard.js';
import { accepts, ask } from './health.js';
import { claimPort } from './ports.js';
import { launch } from './process.js';
import type { Server } from './process.js';
import { toolPath } from './toolchain.js';

export interface TemporalOptions {
  /** port for workers and clients (gRPC); a free one unless told */
  readonly port?: number;
  /** SQLite file that keeps everything over restarts; without it all is in memory */
  readonly dbFile?: string;
  /** serve the web UI as well; no unless told */
  readonly ui?: boolean;
  /** a free one unless told */
  readonly uiPort?: number;
  /** `kuik` unless told */
  readonly namespace?: string;
  /** dynamic configuration, values as JSON text: `{ 'limit.maxIDLength': '255' }` */
  readonly dynamicConfig?: Readonly<Record<string, string>>;
}

export interface TemporalServer extends Server {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  readonly port: number;
  readonly namespace: string;
  /** where the UI is, when it was asked for: `http://127.0.0.1:PORT` */
  readonly uiUrl?: string;
  /** Prometheus metrics of the server */
  readonly metricsUrl: string;
}

/**
 * Starts Temporal's development server, with the namespace and our search attributes; ready in about half a second.
 * The attributes are set up with a new database only: an existing file keeps those it was made with.
 */
export async function startTemporal(options: TemporalOptions = {}): Promise<TemporalServer> {
  const { namespace = 'kuik', dbFile } = options;
  const [port, httpPort, metricsPort] = [await claimPort(options.port), await claimPort(undefined), await claimPort(undefined)];
  const uiPort = options.ui ? await claimPort(options.uiPort) : undefined;
  if (dbFile !== undefined) mkdirSync(dirname(dbFile), { recursive: true });

  const server = await launch({
    name: 'temporal',
    command: await toolPath('temporal'),
    args: [
      ...['server', 'start-dev', '--disable-config-file', '--ip=127.0.0.1', `--port=${port}`, `--http-port=${httpPort}`, `--metrics-port=${metricsPort}`],
      uiPort === undefined ? '--headless' : `--ui-port=${uiPort}`,
      ...(dbFile === undefined ? [] : [`--db-filename=${dbFile}`]),
      `--namespace=${namespace}`,
      '--log-level=warn',
      ...searchAttributeArguments(),
      ...Object.entries({ ...promptTimers, ...options.dynamicConfig }).map(([key, value]) => `--dynamic-config-value=${key}=${value}`),
    ],
    logFile: join(dbFile === undefined ? scratchFolder('temporal') : dirname(dbFile), 'temporal.log'),
    ready: async () => (await accepts(port)) && (uiPort === undefined || (await accepts(uiPort))) && knowsNamespace(httpPort, namespace),
  });

  const at = (each: number): string => `127.0.0.1:${each}`;
  return { ...server, address: at(port), port, namespace, metricsUrl: `http://${at(metricsPort)}/metrics`, ...(uiPort && { uiUrl: `http://${at(uiPort)}` }) };
}

/** The server lets a timer wait a second longer than it was asked to, for clocks of its machines that differ: here is one machine, and tests have timers of milliseconds. */
const promptTimers = { 'history.timerProcessorMaxTimeShift': '"10ms"' };

/** `KEYWORD_LIST` of the contract is `KeywordList` to the command line. */
function searchAttributeArguments(): string[] {
  const spell = (type: string): string => type.split('_').map((word) => word.charAt(0) + word.slice(1).toLowerCase()).join('');
  return Object.entries(searchAttributes).map(([name, type]) => `--search-attribute=${name}=${spell(type)}`);
}

/** Asked over HTTP: no client library is needed to know that the server serves. */
async function knowsNamespace(httpPort: number, namespace: string): Promise<boolean> {
  const { status, body } = await ask(`http://127.0.0.1:${httpPort}/api/v1/namespaces/${namespace}`);
  return status === 200 && body.includes('NAMESPACE_STATE_REGISTERED');
}

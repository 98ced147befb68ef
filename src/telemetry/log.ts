import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { inConsoleForm } from './console-form.js';

/** What code that logs asks for: fields first, then a static message. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

export interface LogOptions {
  readonly level: Level;
  /** `console` is for people in front of a terminal */
  readonly encoder: 'json' | 'console';
  /** what every line carries: `{ process: 'webhook' }` */
  readonly fields?: Readonly<Record<string, string>>;
  /** standard output unless a test listens */
  readonly destination?: DestinationStream;
}

/** Names under which a secret could be logged by accident; each is looked for at the top and up to two levels down. */
const secretFields = ['password', 'identityToken', 'registryToken', 'token', 'auth', 'authorization', 'Authorization', 'cookie', 'apiKey', 'privateKey', 'data'];

/** Makes the logger of one process. Lines are JSON with `level`, `time` (RFC 3339), `msg` and the fields. */
export function createLog(options: LogOptions): Logger {
  const destination = options.destination ?? pino.destination({ dest: 1, sync: false });
  return pino(settings(options), options.encoder === 'console' ? inConsoleForm(destination) : destination);
}

/**
 * Reads `-zap-log-level`: a name in any case, or a number of which 0 is `info`, 1 `debug` and anything above `trace`.
 *
 * @returns undefined when it is neither
 */
export function parseLevel(text: string): Level | undefined {
  const lower = text.toLowerCase();
  if (/^\d+$/.test(lower)) return Number(lower) === 0 ? 'info' : Number(lower) === 1 ? 'debug' : 'trace';
  return levels.get(lower);
}

const levels = new Map<string, Level>([
  ['trace', 'trace'],
  ['debug', 'debug'],
  ['info', 'info'],
  ['warn', 'warn'],
  ['error', 'error'],
  // what zap has beyond error; nothing of ours is quieter
  ['dpanic', 'error'],
  ['panic', 'error'],
  ['fatal', 'error'],
]);

function settings({ level, fields }: LogOptions): LoggerOptions {
  return {
    level,
    base: fields ?? {},
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: secretFields.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
  };
}

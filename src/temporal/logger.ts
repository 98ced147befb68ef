import type { Logger, LogLevel, LogMetadata } from '@temporalio/common';

/** The part of pino that is used: fields first, then a static message. */
export type TemporalLog = { readonly [Level in 'debug' | 'info' | 'warn' | 'error']: (fields: object, message: string) => void };

/** Our workers do one thing each, on purpose; the SDK wonders about it at every start. */
const expected = ['No workflows registered', 'No activities registered', 'No Nexus services registered'];

/**
 * Lets the SDK write into our log; task tokens, which would fill it, are left out. What it tells of its own life is
 * for debugging: a steady cluster is silent at `info`.
 */
export function sdkLogger(log: TemporalLog): Logger {
  const write = (level: keyof TemporalLog) => (message: string, meta: LogMetadata = {}) => {
    const { sdkComponent, error, ...fields } = meta;
    const isExpected = expected.some((text) => message.startsWith(text));
    log[isExpected ? 'debug' : level]({ ...fields, ...(error === undefined ? {} : { err: error as unknown }), taskToken: undefined, component: `temporal ${String(sdkComponent ?? 'sdk')}` }, message);
  };
  const levels = { trace: write('debug'), debug: write('debug'), info: write('debug'), warn: write('warn'), error: write('error') };
  return { ...levels, log: (level: LogLevel, message, meta) => levels[sdkLevels[level]](message, meta) };
}

const sdkLevels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

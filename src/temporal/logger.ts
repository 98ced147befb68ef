import type { Logger, LogLevel, LogMetadata } from '@temporalio/common';

/** The part of pino that is used: fields first, then a static message. */
export type TemporalLog = { readonly [Level in 'debug' | 'info' | 'warn' | 'error']: (fields: object, message: string) => void };

/** Lets the SDK write into our log; task tokens, which would fill it, are left out. */
export function sdkLogger(log: TemporalLog): Logger {
  const write = (level: keyof TemporalLog) => (message: string, meta: LogMetadata = {}) => {
    const { sdkComponent, ...fields } = meta;
    log[level]({ ...fields, taskToken: undefined, component: `temporal ${String(sdkComponent ?? 'sdk')}` }, message);
  };
  const levels = { trace: write('debug'), debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  return { ...levels, log: (level: LogLevel, message, meta) => levels[sdkLevels[level]](message, meta) };
}

const sdkLevels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

import type { DestinationStream } from 'pino';

/** Turns each JSON line into one a person reads: `10:50:14 WARN  pod admitted unchanged  uid=... reason=...`. */
export function inConsoleForm(destination: DestinationStream): DestinationStream {
  return { write: (line: string) => destination.write(consoleLine(line)) };
}

/** @param line one JSON object, as the logger writes it */
export function consoleLine(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = String(time).slice(11, 19);
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${plain(value)}`);
  return `${clock} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}${rest.length === 0 ? '' : ` ${rest.join('')}`}\n`;
}

function plain(value: unknown): string {
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
}

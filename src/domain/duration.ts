/**
 * Durations as users write them: the syntax of Go, which the v2 API and its tools use.
 *
 * @see https://pkg.go.dev/time#ParseDuration
 */

const nanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, the micro sign
  μs: 1_000n, // U+03BC, the Greek letter: Go takes both
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const nanosecondsPerMs = 1_000_000n;
const longest = 2n ** 63n; // Go counts nanoseconds in 64 bits: about 292 years
const part = /([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Reads a duration.
 *
 * @param text an optional sign, then decimal numbers each with a unit `ns`, `us`, `µs`, `ms`, `s`, `m`, `h`; or `0`
 * @returns milliseconds, with fractions down to a nanosecond; undefined for anything else: `7d`, `10`, blanks,
 *   beyond 292 years. An empty text is undefined too: whether that means "unset" is the caller's to say
 */
export function parseDuration(text: string): number | undefined {
  const unsigned = text.replace(/^[+-]/, '');
  if (unsigned === '0') return 0;

  const total = sumOfParts(unsigned);
  if (total === undefined || total >= longest) return undefined;
  const ms = millisecondsOf(total);
  return text.startsWith('-') && ms !== 0 ? -ms : ms;
}

function sumOfParts(text: string): bigint | undefined {
  if (text === '') return undefined;

  let total = 0n;
  part.lastIndex = 0;
  while (part.lastIndex < text.length) {
    const found = part.exec(text);
    if (found === null) return undefined; // a failed match also resets lastIndex
    const [, whole = '', fraction = '', unit = ''] = found;
    if (whole === '' && fraction === '') return undefined;
    total += nanosecondsOf(whole, fraction, nanoseconds[unit] ?? 0n);
  }
  return total;
}

function nanosecondsOf(whole: string, fraction: string, unit: bigint): bigint {
  return BigInt(whole) * unit + (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
}

/** Whole milliseconds and the rest apart: together they would exceed what a number counts exactly after 104 days. */
function millisecondsOf(total: bigint): number {
  return Number(total / nanosecondsPerMs) + Number(total % nanosecondsPerMs) / Number(nanosecondsPerMs);
}

/**
 * Writes a duration, shorter than Go does: units that are zero are left out.
 *
 * @param ms milliseconds; what is below a nanosecond is dropped
 * @returns `168h`, `1h30m`, `2m0.5s`, `250ms`, `1.5µs`, `0s`; `parseDuration` reads it back
 */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 1000) return formatShort(ms);

  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = roundTo(9, (ms % 60_000) / 1000);
  return (hours > 0 ? `${hours}h` : '') + (minutes > 0 ? `${minutes}m` : '') + (seconds > 0 ? `${seconds}s` : '');
}

function formatShort(ms: number): string {
  if (ms >= 1) return `${roundTo(6, ms)}ms`;
  if (ms >= 1e-3) return `${roundTo(3, ms * 1e3)}µs`;
  const ns = Math.floor(ms * 1e6);
  return ns > 0 ? `${ns}ns` : '0s';
}

/** Removes what binary fractions add: 1.1 hours would print as `1h6m0.0000005s`. */
function roundTo(digits: number, value: number): number {
  return Number(value.toFixed(digits));
}

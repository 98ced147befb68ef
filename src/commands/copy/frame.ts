/** How progress reads: as bars that are drawn again and again, or as one line. */
import type { ImageProgress, PartProgress, Totals } from './progress.js';

const barWidth = 24;
const mostBars = 12;

export interface Pace {
  /** bytes per second; undefined until it is known */
  readonly perSecond: number | undefined;
}

/**
 * Lines of a terminal: the parts under way, a bar each, and the sum below them when there is more than one.
 *
 * @param columns of the terminal; longer lines would wrap and spoil the drawing
 */
export function drawBars(images: readonly ImageProgress[], totals: Totals, pace: Pace, columns: number): readonly string[] {
  const underWay = images.flatMap((image) => (image.phase === 'copying' ? image.parts.filter(isUnderWay).map((part) => partLine(images.length > 1 ? `${shortName(image.image)} ${part.label}` : part.label, part)) : []));
  const shown = underWay.slice(0, mostBars);
  const hidden = underWay.length - shown.length;
  const lines = [...shown, ...(hidden > 0 ? [`... and ${hidden} more`] : []), sumLine(totals, pace)];
  return lines.map((line) => line.slice(0, Math.max(1, columns - 1)));
}

/** The same in one line, for a log. */
export function sumLine(totals: Totals, { perSecond }: Pace): string {
  const images = totals.images > 1 ? [`${totals.imagesDone} of ${totals.images} images${totals.imagesFailed > 0 ? `, ${totals.imagesFailed} failed` : ''}`] : [];
  const rate = perSecond === undefined ? [] : [`${formatBytes(perSecond)}/s`];
  return [...images, `${totals.blobsDone} of ${totals.blobs} blobs`, `${formatBytes(totals.bytesDone)} of ${formatBytes(totals.bytes)}`, ...rate, ...timeLeft(totals, perSecond)].join(', ');
}

function isUnderWay(part: PartProgress): boolean {
  return part.blobsDone < part.blobsTotal;
}

function partLine(label: string, part: PartProgress): string {
  const share = part.bytesTotal === 0 ? 0 : Math.min(1, part.bytesDone / part.bytesTotal);
  const full = Math.floor(share * barWidth);
  return `${label.padEnd(16)} [${'='.repeat(full)}${' '.repeat(barWidth - full)}] ${String(Math.floor(share * 100)).padStart(3)} %  ${part.blobsDone}/${part.blobsTotal} blobs  ${formatBytes(part.bytesDone)}/${formatBytes(part.bytesTotal)}`;
}

/** Nothing is promised before every image has been looked at. */
function timeLeft({ bytes, bytesDone, isComplete }: Totals, perSecond: number | undefined): readonly string[] {
  if (!isComplete || !perSecond || bytesDone >= bytes) return [];
  return [`${formatSeconds((bytes - bytesDone) / perSecond)} left`];
}

/** The last part of the path with its tag: `nginx:1.27`. */
function shortName(image: string): string {
  return image.slice(image.lastIndexOf('/') + 1);
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `0 B`, `512 B`, `1.5 MiB` */
export function formatBytes(bytes: number): string {
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** `5s`, `2m05s`, `1h02m` */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (hours > 0) return `${hours}h${String(minutes).padStart(2, '0')}m`;
  return minutes > 0 ? `${minutes}m${String(rest).padStart(2, '0')}s` : `${rest}s`;
}

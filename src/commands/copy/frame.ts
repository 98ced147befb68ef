/** How progress reads: as bars that are drawn again and again, or as one line. */
import { fitting, widthOf } from '../text-width.js';
import type { ImageProgress, PartProgress, Totals } from './progress.js';

const mostBars = 12;

export interface Pace {
  /** bytes per second; undefined until it is known */
  readonly perSecond: number | undefined;
}

/**
 * Lines of a terminal: the parts under way, a bar each, and the sum below them when there is more than one.
 *
 * @param size of the terminal: lines that are longer would wrap, more of them would scroll, and both spoil the drawing
 */
export function drawBars(images: readonly ImageProgress[], totals: Totals, pace: Pace, { columns, rows }: { readonly columns: number; readonly rows: number }): readonly string[] {
  const underWay = images.flatMap((image) => (image.phase === 'copying' ? image.parts.filter(isUnderWay).map((part) => ({ label: images.length > 1 ? `${shortName(image.image)} ${part.label}` : part.label, part })) : []));
  const shown = underWay.slice(0, Math.max(1, Math.min(mostBars, rows - 3)));
  const hidden = underWay.length - shown.length;
  const width = columns - 1;
  return [
    ...shown.map(({ label, part }) => firstThatFits(partForms(label, part), width)),
    ...(hidden > 0 ? [fitting(`... and ${hidden} more`, width)] : []),
    firstThatFits([sumLine(totals, pace), ...shortSumLines(totals, pace)], width),
  ];
}

/** The same in one line, for a log. */
export function sumLine(totals: Totals, pace: Pace): string {
  return [...imagesDone(totals), `${totals.blobsDone} of ${totals.blobs} blobs`, `${formatBytes(totals.bytesDone)} of ${formatBytes(totals.bytes)}`, ...paceTexts(totals, pace)].join(', ');
}

function shortSumLines(totals: Totals, pace: Pace): readonly string[] {
  const images = totals.images > 1 ? [`${totals.imagesDone}/${totals.images}`] : [];
  const bytes = `${formatBytes(totals.bytesDone)}/${formatBytes(totals.bytes)}`;
  return [paceTexts(totals, pace), timeLeft(totals, pace.perSecond)].map((texts) => [...images, bytes, ...texts].join(', '));
}

function imagesDone({ images, imagesDone: done, imagesFailed: failed }: Totals): readonly string[] {
  return images > 1 ? [`${done} of ${images} images${failed > 0 ? `, ${failed} failed` : ''}`] : [];
}

function paceTexts(totals: Totals, { perSecond }: Pace): readonly string[] {
  return [...(perSecond === undefined ? [] : [`${formatBytes(perSecond)}/s`]), ...timeLeft(totals, perSecond)];
}

/** The fullest form for which there is room; the start of the shortest where there is for none. */
function firstThatFits(forms: readonly string[], width: number): string {
  return forms.find((form) => widthOf(form) <= width) ?? fitting(forms.at(-1) ?? '', width);
}

function isUnderWay(part: PartProgress): boolean {
  return part.blobsDone < part.blobsTotal;
}

/** From the fullest to the one that only says how far it is. */
function partForms(label: string, part: PartProgress): readonly string[] {
  const share = part.bytesTotal === 0 ? 0 : Math.min(1, part.bytesDone / part.bytesTotal);
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
  const bytes = `${formatBytes(part.bytesDone)}/${formatBytes(part.bytesTotal)}`;
  return [
    `${label.padEnd(16)} ${bar(share, 24)} ${percent}  ${part.blobsDone}/${part.blobsTotal} blobs  ${bytes}`,
    `${label.padEnd(16)} ${bar(share, 10)} ${percent}  ${bytes}`,
    `${label} ${bar(share, 8)} ${percent}`,
    `${percent} ${label}`,
  ];
}

function bar(share: number, width: number): string {
  const full = Math.floor(share * width);
  return `[${'='.repeat(full)}${' '.repeat(width - full)}]`;
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

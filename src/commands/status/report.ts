import { columns } from '../columns.js';
import { agoText } from '../cluster/known.js';
import type { Status } from '../documents/status.js';

/** The screen. @param now milliseconds since the epoch */
export function statusScreen(status: Status, { now, form }: { readonly now: number; readonly form: 'table' | 'wide' }): string {
  return [headLine(status, now), troublesText(status), imagesText(status, now), copiesText(status, now, form), registriesText(status), rulesText(status, form)].filter((part) => part !== '').join('\n');
}

/** The same in one line, for where nothing can be drawn. */
export function statusLine({ troubles, images, copies }: Status): string {
  const first = troubles[0] === undefined ? 'all is well' : `${troubles.length} ${troubles.length === 1 ? 'trouble' : 'troubles'}, first: ${troubles[0].what}`;
  return `${images.mirrored} of ${images.used} images mirrored, ${copies.length} copies to come, ${images.failed} failed; ${first}`;
}

function headLine({ version, context, namespace, webhook, leader }: Status, now: number): string {
  const led = leader === undefined ? '' : `, led by ${leader.holder} (${agoText(leader.renewedAt, now)} ago)`;
  return `kuik ${version}, context ${context}, namespace ${namespace}: webhook ${webhook}${led}\n`;
}

function troublesText({ troubles, rules }: Status): string {
  if (troubles.length === 0) return rules.length === 0 ? 'No rule yet: kubectl apply one, examples/quickstart.yaml is a start\n' : 'All is well\n';
  return `LOOK AT FIRST\n${troubles.map(({ what, next }, at) => `  ${at + 1}. ${what}\n     ${next}\n`).join('')}`;
}

function imagesText({ images, oldestWaiting }: Status, now: number): string {
  const parts: readonly (readonly [number, string])[] = [
    [images.mirrored, 'with every copy'],
    [images.waiting, `waiting${oldestWaiting === undefined ? '' : ` (the oldest for ${agoText(oldestWaiting, now)})`}`],
    [images.failed, 'failed'],
    [images.unmirrored, 'wanted by no rule'],
    [images.unavailable, 'without an origin'],
    [images.drifted, 'drifted'],
  ];
  const told = parts.filter(([count]) => count > 0).map(([count, text]) => `${count} ${text}`);
  return `IMAGES  ${images.used} in use${told.length === 0 ? '' : `: ${told.join(', ')}`}; ${images.unused} unused\n`;
}

const mostCopies = 5;

function copiesText({ copies }: Status, now: number, form: 'table' | 'wide'): string {
  if (copies.length === 0) return '';
  const shown = form === 'wide' ? copies : copies.slice(0, mostCopies);
  // what changes stands in front: names are long, and terminals narrow
  const rows = shown.map(({ image, destination, state, since, ...progress }) => [state, since === undefined ? '' : agoText(since, now), progressText(progress), image, destination]);
  const hidden = copies.length - shown.length;
  return `${columns([['STATE', 'SINCE', 'PROGRESS', 'COPY OF', 'TO'], ...rows])}${hidden > 0 ? `... and ${hidden} more, with -o wide\n` : ''}`;
}

const barWidth = 10;

function progressText({ bytesDone, bytesTotal }: Pick<Status['copies'][number], 'bytesDone' | 'bytesTotal'>): string {
  if (bytesDone === undefined || bytesTotal === undefined) return '';
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  const full = Math.floor((barWidth * bytesDone) / bytesTotal);
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] ${mebibytes(bytesDone)}/${mebibytes(bytesTotal)} MiB`;
}

function registriesText({ registries }: Status): string {
  if (registries.length === 0) return '';
  return columns([['REGISTRY', 'STATE', 'IMAGES'], ...registries.map(({ registry, state, images }) => [registry, state, String(images)])]);
}

function rulesText({ rules }: Status, form: 'table' | 'wide'): string {
  if (rules.length === 0) return '';
  const headings = ['RULE', 'READY', 'IMAGES', 'MIRRORED', 'FAILED', 'UNUSED', 'REASON', ...(form === 'wide' ? ['MESSAGE'] : [])];
  const rows = rules.map(({ rule, ready, reason = '', message = '', suspended, counts }) => [
    rule,
    ready,
    ...[imagesOf(counts), counts['mirrored'], counts['failed'] ?? counts['unavailable'], counts['unused']].map((count) => String(count ?? '')),
    suspended ? 'Suspended' : reason,
    ...(form === 'wide' ? [message] : []),
  ]);
  return columns([headings, ...rows]);
}

/** A rule that only monitors counts what it found, and no sum. */
function imagesOf({ images, available, unavailable, unchecked }: Status['rules'][number]['counts']): number | undefined {
  return images ?? (available === undefined ? undefined : available + (unavailable ?? 0) + (unchecked ?? 0));
}

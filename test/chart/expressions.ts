/** What a PromQL expression asks of metrics: their names, and the labels it selects, groups and joins by. */

export interface Asked {
  readonly metrics: readonly string[];
  readonly labels: readonly string[];
}

const named = /\b(kube_image_keeper_\w+|temporal_\w+|nodejs_\w+|process_\w+)\b/g;
const selected = /\b(\w+)\s*(?:=~|!~|!=|=)\s*"/g;
const grouped = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;

export function askedBy(expression: string): Asked {
  const metrics = [...expression.matchAll(named)].map(([, name = '']) => name);
  const groups = [...expression.matchAll(grouped)].flatMap(([, list = '']) => list.split(',').map((label) => label.trim()));
  return { metrics: unique(metrics), labels: unique([...[...expression.matchAll(selected)].map(([, label = '']) => label), ...groups].filter((label) => label !== '')) };
}

function unique(words: readonly string[]): readonly string[] {
  return [...new Set(words)];
}

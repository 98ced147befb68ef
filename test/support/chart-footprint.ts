/** What the Pods of the chart take at rest, as a page: measured by `make e2e RECORD=1`, beside what they ask for. */
import { table } from '../../src/api/markdown.js';
import { ChartValues } from '../../src/config/chart/values.js';
import type { Footprint } from '../../tools/e2e/footprint-file.js';

interface Resources {
  readonly requests?: { readonly cpu?: string; readonly memory?: string };
  readonly limits?: { readonly memory?: string };
}

/** @returns a table, and the conditions it was measured under */
export function footprintPage({ date, conditions, pods }: Footprint): string {
  const asked = resourcesByComponent();
  const rows = pods.map(({ component, replicas, workingSetMiB, rssMiB, cpuMillicores }) => {
    const { requests, limits } = asked[component] ?? {};
    return [component, String(replicas), `${workingSetMiB} MiB`, `${rssMiB} MiB`, `${cpuMillicores}m`, `${requests?.cpu ?? '-'}, ${requests?.memory ?? '-'}`, limits?.memory ?? '-'];
  });
  const memory = pods.reduce((sum, { workingSetMiB, replicas }) => sum + workingSetMiB * replicas, 0);
  const cpu = pods.reduce((sum, { cpuMillicores, replicas }) => sum + cpuMillicores * replicas, 0);
  return [
    table(['Pod', 'How many', 'Working set', 'Resident', 'CPU', 'Requested', 'Memory limit'], rows),
    '',
    `All Pods together: at most ${memory} MiB and ${cpu}m. Measured on ${date} by \`make e2e RECORD=1\`, Kubernetes ${conditions.kubernetes} with one node of ${conditions.cores} cores and a load average of ${conditions.loadAverage}, Temporal ${conditions.temporal}, Node ${conditions.node}; ${conditions.images} images known, ` +
      `nothing happening for ${conditions.settledSeconds} s before and for the ${conditions.measuredSeconds} s counted. Each figure is that of the largest replica. The working set is what \`kubectl top\` shows and what the limit counts; of it only the resident part cannot be given back.`,
    '',
    `From \`helm install\`, its images being on the node, until every Pod was ready and the check had passed: ${conditions.readyAfter}.`,
  ].join('\n');
}

function resourcesByComponent(): Readonly<Record<string, Resources>> {
  const { manager, webhook, temporal } = ChartValues.parse({});
  return { manager: manager.resources, webhook: webhook.resources, temporal: temporal.server.resources, 'temporal-ui': temporal.ui.resources, postgresql: temporal.postgresql.resources };
}

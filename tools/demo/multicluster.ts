/** `make demo-multicluster`: two clusters, one registry; `--once` ends after the story. */
import { closeClusters, multiclusterStory, openClusters, type Clusters } from './multicluster-story.js';
import { tell } from './tell.js';

await tell<Clusters>(
  {
    title: 'kube-image-keeper: two clusters, one registry',
    open: openClusters,
    steps: multiclusterStory,
    hints: ({ berlin, paris }) => [
      `kubectl --kubeconfig ${berlin.api.kubeconfig} get kuik,ia   # berlin`,
      `kubectl --kubeconfig ${paris.api.kubeconfig} get kuik,ia   # paris`,
      `Temporal UI: ${berlin.temporal.running.uiUrl ?? 'not started'}`,
    ],
    close: closeClusters,
  },
  process.argv.includes('--once'),
);
process.exit(); // as in the other demo: what opened only half way ends with us

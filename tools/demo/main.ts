/** `make demo`: starts everything, plays the story, stays up until Ctrl-C; `--once` ends after the story. */
import { Stage } from './stage.js';
import { story } from './story.js';
import { tell } from './tell.js';

await tell<Stage>(
  {
    title: 'kube-image-keeper: a registry goes away, and Pods do not notice',
    open: (dir, onStart) => Stage.open({ dir, ui: true, onStart }),
    steps: story,
    hints: ({ api, temporal, sourceAddress, mirror }) => [
      `export KUBECONFIG=${api.kubeconfig} SOURCE=${sourceAddress} MIRROR=${mirror.address}`,
      'kubectl get kuik,ia',
      'bin/kuik explain pod/second -n default',
      `Temporal UI: ${temporal.running.uiUrl ?? 'not started'}`,
    ],
    close: (stage) => stage.close(),
  },
  process.argv.includes('--once'),
);
process.exit(); // a stage that opened only half way leaves servers running: they end with us, see tools/guard.ts

/**
 * `make e2e`: the chart on a cluster in which Pods run, from the first `helm install` to the last. With `--record`
 * what Pods take at rest is written down.
 */
import { missingForCluster, thisMachine } from '../cluster/requirements.js';
import { tell } from '../demo/tell.js';
import { prepareTools } from '../prepare.js';
import { resting } from './footprint.js';
import { installing } from './install.js';
import { leaving } from './leaving.js';
import { outage } from './outage.js';
import { Site, sitePrograms } from './site.js';

const missing = missingForCluster(thisMachine());
if (missing.length > 0) {
  console.error(['SKIPPED: this machine cannot carry a cluster in which Pods run. Missing:', ...missing.map((each) => `    ${each}`)].join('\n'));
} else {
  await prepareTools(sitePrograms, console.error);
  await tell<Site>(
    {
      title: 'kube-image-keeper, installed: a registry goes away, and Pods start all the same',
      open: (dir, onStart) => Site.open({ dir, onStart }),
      steps: [...installing, ...resting, ...outage, ...leaving],
      hints: () => [],
      close: (site) => site.close(),
    },
    true,
  );
}
process.exit();

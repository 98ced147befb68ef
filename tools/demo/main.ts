/**
 * `make demo`: starts everything, plays the story, stays up until Ctrl-C; `--once` ends after the story. Where the
 * machine can carry a cluster in which Pods run, the chart is installed on one; elsewhere, and with `--api-server`,
 * kuik runs as a process beside an API server, and Pods are created but do not run.
 */
import process from 'node:process';
import { missingForCluster, thisMachine } from '../cluster/requirements.js';
import { installing } from '../e2e/install.js';
import { outage } from '../e2e/outage.js';
import { namespace, Site, sitePrograms } from '../e2e/site.js';
import { prepareTools } from '../prepare.js';
import { programNamed } from '../programs.js';
import { Stage } from './stage.js';
import { story } from './story.js';
import { tell } from './tell.js';

const once = process.argv.includes('--once');
const title = 'kube-image-keeper: a registry goes away, and Pods do not notice';
const missing = process.argv.includes('--api-server') ? ['nothing, but CLUSTER=0 asks for it'] : missingForCluster(thisMachine());

if (missing.length === 0) await onCluster();
else await onApiServer();
process.exit(); // a stage that opened only half way leaves servers running: they end with us, see tools/guard.ts

async function onCluster(): Promise<void> {
  console.log('On a cluster in which Pods run, with the chart installed. What is not built yet takes a quarter of an hour; CLUSTER=0 plays on an API server alone.');
  await prepareTools(sitePrograms, console.error);
  await tell<Site>({ title, open: (dir, onStart) => Site.open({ dir, onStart }), steps: [...installing, ...outage], hints: hintsOf, close: (site) => site.close() }, once);
}

async function hintsOf(site: Site): Promise<readonly string[]> {
  const ui = await site.kubectl('get', 'service', '-n', namespace, 'kube-image-keeper-temporal-ui', '-o', 'jsonpath={.spec.clusterIP}');
  return [`export KUBECONFIG=${site.cluster.kubeconfig} SOURCE=${site.sourceAddress} MIRROR=${site.mirror.address}`, 'kubectl get pods -A', 'kubectl get kuik,ia', 'kubectl describe pod -l app=web', `Temporal UI: http://${ui}:8080/namespaces/kuik`];
}

async function onApiServer(): Promise<void> {
  console.log(`On an API server alone, where Pods are created but do not run. Missing for a cluster in which they do: ${missing.join('; ')}`);
  await prepareTools((['etcd', 'kube-apiserver', 'kubectl', 'registry', 'crane', 'temporal'] as const).map(programNamed), console.error);
  await tell<Stage>(
    {
      title,
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
    once,
  );
}

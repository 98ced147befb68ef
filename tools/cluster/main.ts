/** `make cluster`: a cluster in which Pods run, up until Ctrl-C. */
import { prepareTools } from '../prepare.js';
import { kubernetesPrograms, startCluster } from './cluster.js';
import { requireCluster } from './requirements.js';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

try {
  requireCluster();
  await prepareTools(kubernetesPrograms, console.error);
  const cluster = await startCluster({ onStart: (what) => console.log(what) });
  console.log(
    [
      '',
      `export KUBECONFIG=${cluster.kubeconfig}`,
      `Pods reach servers of this machine at ${cluster.network.host}; this machine reaches Pods and Services at their own addresses.`,
      `Logs are in ${cluster.dir}/log. Ctrl-C ends all of it.`,
    ].join('\n'),
  );
  if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
  await cluster.stop();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

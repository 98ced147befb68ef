/**
 * The workers of one cluster in a process of their own, so that a test can kill it. Copies hang until told:
 *
 *     node dist/test/support/worker-process.js ADDRESS NAMESPACE CLUSTER hang|copy
 *
 * Prints a line when a part is copied (`copy ...`) and when a tag is published (`publish ...`).
 */
import { runWorkers, World } from './temporal-lab.js';

const [, , address = '', namespace = '', cluster = '', mode = 'copy'] = process.argv;
const world = new World();
if (mode === 'hang') world.close();
world.onCopy = (started) => process.stdout.write(`copy ${started}\n`);
world.onPublish = (destination) => process.stdout.write(`publish ${destination}\n`);
process.stdin.on('end', () => process.exit(1)).resume(); // whoever started us is gone

await runWorkers({ address, namespace }, cluster, world, 'dist/workflows.bundle.js', new AbortController().signal).done;

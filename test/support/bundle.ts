/** Bundles the workflows once for all test files, as the build does: `dist/workflows.bundle.js`. */
import { bundleWorkflows } from '../../src/temporal/bundle.js';

await bundleWorkflows('dist/workflows.bundle.js');

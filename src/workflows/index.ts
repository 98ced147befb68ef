/** The list of workflow types: every function exported here becomes one. */
export { copyImage } from './copy-image.js';
export { deleteImage } from './delete-image.js';
export { keepImage } from './keep-image.js';
export { monitorRegistry } from './monitor-registry.js';
export { sweepCluster } from './sweep-cluster.js';

import { clusterImageSetAvailability } from './cluster-image-set-availability.js';
import { clusterImageSetMirror } from './cluster-image-set-mirror.js';
import { clusterReplicatedImageSet } from './cluster-replicated-image-set.js';
import { imageAvailability } from './image-availability.js';
import { imageSetMirror } from './image-set-mirror.js';
import type { Kind } from './kind.js';
import { replicatedImageSet } from './replicated-image-set.js';

/** All kinds of the group: the five that users write, and the record. */
export const kinds: readonly Kind[] = [clusterImageSetMirror, imageSetMirror, clusterReplicatedImageSet, replicatedImageSet, clusterImageSetAvailability, imageAvailability];

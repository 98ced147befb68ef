import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the heap's young generation as small as it starts. Chunks of blobs die at once; room for more of them only spreads
 * them over more memory: a copy of 512 MiB took 120 MiB instead of 210, and a fifth less CPU (Node 24.21, measured). As
 * `--max-semi-space-size`, but from inside: without a growth factor it never grows. To be called before anything is copied.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

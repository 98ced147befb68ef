import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { closeClusters, multiclusterStory, openClusters, type Clusters } from '../../tools/demo/multicluster-story.js';
import { scratchFolder } from '../../tools/servers.js';

describe('the story of two clusters, step by step', () => {
  let clusters: Clusters | undefined;
  beforeAll(async () => {
    clusters = await openClusters(scratchFolder('multicluster'));
  }, 180_000);
  afterAll(async () => {
    if (clusters !== undefined) await closeClusters(clusters);
  });

  test.each(multiclusterStory.map((step) => [step.title, step] as const))(
    '%s',
    async (_title, step) => {
      if (clusters === undefined) throw new Error('there are no clusters');
      await step.play(clusters, () => undefined);
    },
    180_000,
  );
});

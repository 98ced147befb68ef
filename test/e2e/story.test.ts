import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { story } from '../../tools/demo/story.js';
import { scratchFolder } from '../../tools/servers.js';

describe('the story of the demo, step by step', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('story') });
  });
  afterAll(() => stage?.close());

  test.each(story.map((step) => [step.title, step] as const))('%s', async (_title, step) => {
    await step.play(stage, () => undefined);
  });
});

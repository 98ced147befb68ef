import { expect, test } from '@jest/globals';
import { watchReunions } from '../../src/temporal/reunion.js';

/** What the server answers with, look by look; `away` is no answer. */
async function storyOf(...answers: readonly string[]): Promise<string[]> {
  const story: string[] = [];
  const left = [...answers];
  const stop = new AbortController();
  await watchReunions(
    {
      client: {
        namespaceId: async () => {
          const answer = left.shift() ?? 'away';
          if (answer === 'away') throw new Error('no connection');
          return answer;
        },
      },
      prepare: async () => void story.push('prepare'),
      onReunion: (why) => void story.push(why),
      sleep: async () => void (left.length === 0 && stop.abort()),
    },
    stop.signal,
  );
  return story;
}

test.each<[string, readonly string[], readonly string[]]>([
  ['a server that stays says nothing', ['a', 'a', 'a'], []],
  ['the first meeting is no reunion', ['a'], []],
  ['a start before the server is one: claims may have been refused', ['away', 'away', 'a'], ['back']],
  ['an outage is told once, when it is over', ['a', 'away', 'away', 'a', 'a'], ['back']],
  ['a namespace that was made again is prepared again, also when nobody saw it go', ['a', 'b', 'b'], ['prepare', 'made-again']],
  ['a namespace that is gone is made, and everything said once more', ['a', 'absent', 'b'], ['prepare', 'prepare', 'made-again']],
])('%s', async (_sentence, answers, story) => {
  expect(await storyOf(...answers)).toEqual(story);
});

import { describe, expect, test } from '@jest/globals';
import { watchReunions } from '../../src/temporal/reunion.js';

/** `<id>` looks at the namespace of this identity, `away` finds nobody, `absent` no namespace; the others happen between two looks. */
type Event = string;
const between = ['send', 'back up', 'restore', 'lose the answer', 'forbid', 'lose the lead', 'lead'];

/** What comes of it, look by look. */
async function storyOf(...events: readonly Event[]): Promise<string[]> {
  const story: string[] = [];
  const left = [...events];
  const stop = new AbortController();
  const server = { mark: undefined as string | undefined, backup: undefined as string | undefined, isForbidden: false, losesAnswer: false };
  let [sent, marks, leads] = [0, 0, true];
  const happen = (event: Event): void => {
    if (event === 'send') sent += 1;
    if (event === 'back up') server.backup = server.mark;
    if (event === 'restore') server.mark = server.backup;
    if (event === 'lose the answer') server.losesAnswer = true;
    if (event === 'forbid') server.isForbidden = true;
    if (event === 'lose the lead') leads = false;
    if (event === 'lead') leads = true;
  };
  const nextLook = (): Event => {
    for (let event = left.shift(); event !== undefined; event = left.shift()) {
      if (!between.includes(event)) return event;
      happen(event);
    }
    return 'away';
  };
  await watchReunions(
    {
      client: {
        namespace: async () => {
          const answer = nextLook();
          if (answer === 'away') throw new Error('no connection');
          return answer === 'absent' ? answer : { id: answer, mark: server.mark };
        },
        leaveMark: async (_cluster, mark) => {
          if (server.isForbidden) return 'refused';
          story.push('mark');
          server.mark = mark;
          if (!server.losesAnswer) return 'left';
          server.losesAnswer = false;
          throw new Error('no answer in time');
        },
      },
      cluster: 'berlin',
      sent: () => (leads ? sent : undefined),
      newMark: () => `mark-${++marks}`,
      prepare: async () => void story.push('prepare'),
      onReunion: (why) => void story.push(why),
      onUnmarked: () => void story.push('unmarked'),
      sleep: async () => void (left.length === 0 && stop.abort()),
    },
    stop.signal,
  );
  return story;
}

test.each<[string, readonly Event[], readonly string[]]>([
  ['a server that stays says nothing', ['a', 'a', 'a'], []],
  ['the first meeting is no reunion', ['a'], []],
  ['a start before the server is one: claims may have been refused', ['away', 'away', 'a'], ['back']],
  ['an outage is told once, when it is over', ['a', 'away', 'away', 'a', 'a'], ['back']],
  ['a namespace that was made again is prepared again, also when nobody saw it go', ['a', 'b', 'b'], ['prepare', 'made-again']],
  ['a namespace that is gone is made, and everything said once more', ['a', 'absent', 'b'], ['prepare', 'prepare', 'made-again']],
])('%s', async (_sentence, events, story) => {
  expect(await storyOf(...events)).toEqual(story);
});

describe('a mark', () => {
  test.each<[string, readonly Event[], readonly string[]]>([
    ['is left after something was sent, and not again before the next', ['a', 'send', 'a', 'a', 'send', 'send', 'a', 'a'], ['mark', 'mark']],
    ['that is gone tells of a database that went back, once, and is left anew', ['send', 'a', 'back up', 'send', 'a', 'restore', 'a', 'a'], ['mark', 'mark', 'went-back', 'mark']],
    ['is missed in a database from before the first of them', ['back up', 'send', 'a', 'restore', 'a'], ['mark', 'went-back', 'mark']],
    ['that is still there after an outage leaves it at that', ['send', 'a', 'away', 'a'], ['mark', 'back']],
    ['whose answer was lost is left anew, and nobody is alarmed', ['send', 'lose the answer', 'a', 'a', 'a'], ['mark', 'mark']],
    ['of a namespace that was made again is not looked for', ['send', 'a', 'restore', 'b', 'b'], ['mark', 'prepare', 'made-again', 'mark']],
    ['is no business of who does not lead, nor what was there before it led again', ['send', 'a', 'lose the lead', 'restore', 'a', 'a', 'lead', 'a'], ['mark', 'mark']],
    ['that may not be left is tried once, and said', ['forbid', 'send', 'a', 'send', 'a', 'restore', 'a'], ['unmarked']],
  ])('%s', async (_sentence, events, story) => {
    expect(await storyOf(...events)).toEqual(story);
  });
});

/** T2: what one tenant may see never depends on what another asked before, in whatever order. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Credential } from '../../../src/registry/registry.js';
import { aCall, anImage, pushImage, single } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt } from '../../support/registry-client.js';

closeAfterEach();
const ann: Credential = { id: 'aaaaaaaaaaaa', username: 'ann', password: 'correct horse' };
const bob: Credential = { id: 'bbbbbbbbbbbb', username: 'bob', password: 'battery staple' };
const mallory: Credential = { id: 'dddddddddddd', username: 'ann', password: 'guessed' };
const callers = { ann: [ann], bob: [bob], mallory: [mallory], nobody: [] } as const;
const verbs = ['head', 'manifest', 'tags'] as const;

interface Question {
  readonly who: keyof typeof callers;
  readonly verb: (typeof verbs)[number];
  readonly at: string;
}
const question: fc.Arbitrary<Question> = fc.record({ who: fc.constantFrom<Question['who'][]>('ann', 'bob', 'mallory', 'nobody'), verb: fc.constantFrom(...verbs), at: fc.constantFrom('app:1', 'app:2') });

describe('tenants side by side', () => {
  test('in any order, everybody gets the answers that they would get alone', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts: { ann: 'correct horse', bob: 'battery staple' } } });
    await pushImage(aClient().registry, `${server.host}/app:1`, single(anImage('app')), [ann]);

    const answerOf = async ({ registry }: Pick<ReturnType<typeof aClient>, 'registry'>, { who, verb, at }: Question): Promise<string> => {
      const ref = refAt(server, at);
      const call = aCall({ purpose: 'probe' });
      try {
        if (verb === 'head') {
          const seen = await registry.head(ref, callers[who], call);
          return seen === 'missing' ? seen : `${seen.digest} ${seen.identity}`;
        }
        if (verb === 'manifest') return (await registry.manifest(ref, callers[who], call)).identity;
        const tags: string[] = [];
        for await (const tag of registry.tags(ref, callers[who], call)) tags.push(tag);
        return tags.join();
      } catch (error) {
        return (error as { code: string }).code;
      }
    };

    await fc.assert(
      fc.asyncProperty(fc.array(question, { minLength: 2, maxLength: 8 }), fc.boolean(), async (questions, isAtOnce) => {
        const shared = aClient();
        server.calm();
        const answers: string[] = [];
        if (isAtOnce) answers.push(...(await Promise.all(questions.map((one) => answerOf(shared, one)))));
        else for (const one of questions) answers.push(await answerOf(shared, one));
        const alone: string[] = [];
        for (const one of questions) alone.push(await answerOf(aClient(), one));

        expect(answers).toEqual(alone);
      }),
      { numRuns: 25, seed: 20261121 },
    );
  }, 60_000);

  test('a token is shown by nobody but whom it was given to', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts: { ann: 'correct horse', bob: 'battery staple' } } });
    const { registry } = aClient();
    const ask = (who: Credential): Promise<unknown> => registry.head(refAt(server, 'app:1'), [who], aCall()).catch(() => undefined);

    await Promise.all(Array.from({ length: 30 }, (_, index) => ask([ann, bob, mallory][index % 3]!)));

    expect(server.door.issued).toHaveLength(2);
    expect(server.requests.filter(({ route, status }) => route === 'token' && status === 401)).toHaveLength(1);
  });
});

import { describe, expect, test } from '@jest/globals';
import { commands } from '../../src/commands/all.js';
import { parts } from '../../src/commands/cli-page.js';
import { answerText, candidatesFor } from '../../src/commands/completion/candidates.js';

const values = async (...words: string[]): Promise<readonly string[]> => (await candidatesFor(words)).candidates.map(({ value }) => value);

describe('what can follow', () => {
  test('at first is every command of a person, with what it does', async () => {
    const { candidates, directive } = await candidatesFor(['']);

    expect(candidates.map(({ value }) => value)).toEqual(Object.entries(commands).filter(([, { isProcess, isHidden }]) => !isProcess && !isHidden).map(([name]) => name));
    expect(candidates.every(({ description }) => description !== '')).toBe(true);
    expect(directive).toBe(4);
  });

  test.each<[string, string[], string[]]>([
    ['letters of a command', ['ret'], ['retry']],
    ['nothing, as a newer PowerShell says it', ['cluster', '""'], ['list', 'forget']],
    ['an empty value, as PowerShell says it', ['images', '-l', '""', '--unav'], ['--unavailable']],
    ['a command that has commands', ['cluster', ''], ['list', 'forget']],
    ['the dashes of an option', ['retry', '--dry'], ['--dry-run']],
    ['an option with choices', ['images', '-o', ''], ['table', 'wide', 'json', 'yaml', 'name']],
    ['an option with choices, in its other spelling', ['images', '--output=j'], ['--output=json']],
    ['an option of a command of a command', ['cluster', 'forget', '--ti'], ['--timeout']],
    ['an option without a value: the next option', ['images', '--unused', '--unav'], ['--unavailable']],
    ['a command nobody knows', ['nonsense', ''], []],
    ['a process', ['ru'], []],
    ['an option whose values nobody knows', ['pin', 'nginx', '--until', ''], []],
    ['completion: the shells', ['completion', ''], ['bash', 'zsh', 'fish', 'powershell']],
  ])('after %s', async (_sentence, words, expected) => {
    expect(await values(...words)).toEqual(expected);
  });

  test('after an option that takes a file is any file: the shell knows those', async () => {
    expect(await candidatesFor(['explain', '-f', ''])).toEqual({ candidates: [], directive: 0 });
  });

  test('is nothing where no cluster answers, and no error', async () => {
    expect(await candidatesFor(['describe', '--kubeconfig', '/nowhere', ''])).toEqual({ candidates: [], directive: 4 });
  });

  test.each(Object.entries(commands).filter(([name, { isProcess, isHidden }]) => !isProcess && !isHidden && name !== 'completion' && !Object.hasOwn(parts, name)).map(([name]) => name))('of %s knows its options', async (name) => {
    expect((await values(name, '--')).length).toBeGreaterThan(0);
  });
});

test('answers are lines, the last of which is the directive', () => {
  expect(answerText({ candidates: [{ value: 'a', description: 'one\ntwo' }, { value: 'b' }], directive: 4 })).toBe('a\tone two\nb\n:4\n');
  expect(answerText({ candidates: [], directive: 0 })).toBe(':0\n');
});

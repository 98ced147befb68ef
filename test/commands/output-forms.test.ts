import { expect, test } from '@jest/globals';
import { commands } from '../../src/commands/all.js';
import { parts } from '../../src/commands/cli-page.js';
import { commandLineOf } from '../../src/commands/command-line.js';

const [data, all] = [['json', 'yaml'], ['table', 'wide', 'json', 'yaml', 'name']];

/** What `-o` of each command takes, and why it is less than all. */
const forms: Readonly<Record<string, readonly string[]>> = {
  explain: all,
  rehearse: all,
  images: all,
  describe: all,
  retry: all,
  mirror: all,
  pin: all,
  unpin: all,
  preview: all,
  'cluster list': all,
  status: ['table', 'wide', ...data], // a screen is about everything, and has no names
  check: ['table', ...data], // parts of an installation are no objects; every line is whole already
  logs: ['table', ...data], // lines of a story
  pause: ['table', ...data, 'name'], // what was asked for, and how it is now: there is no more to show
  resume: ['table', ...data, 'name'],
  version: ['table', ...data],
  copy: ['table', ...data, 'name'],
  'cluster forget': ['table', ...data], // one answer
  'migrate v1': ['yaml', 'json'], // manifests
  'migrate v2': ['table', ...data], // remarks
};

async function formsOf(path: string): Promise<readonly string[] | undefined> {
  const [name = '', ...below] = path.split(' ');
  const run = await commands[name]?.load();
  const command = run && (await commandLineOf(() => run(below)));
  return command?.options.find(({ long }) => long === '--output')?.argChoices;
}

test('every command prints every form that makes sense for it', async () => {
  const paths = Object.entries(commands).flatMap(([name, { isProcess, isHidden }]) => (isProcess || isHidden ? [] : (parts[name]?.map((part) => `${name} ${part}`) ?? [name])));
  const found: Record<string, readonly string[]> = {};
  for (const path of paths) {
    const choices = await formsOf(path);
    if (choices !== undefined) found[path] = choices;
  }

  expect(found).toEqual(forms);
});

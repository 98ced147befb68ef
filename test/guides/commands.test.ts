/** Every command of a guide is run by a test of its page, or that test says why not; every configuration is loaded. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load-config.js';
import { projectRoot } from '../../tools/programs.js';
import { blocksIn, fencesIn } from '../support/guide.js';

const folder = join(projectRoot(), 'docs/guides');
const pages = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
const tests = readdirSync(join(projectRoot(), 'test/guides')).filter((name) => name.endsWith('.real.test.ts')).map((name) => readFileSync(join(projectRoot(), 'test/guides', name), 'utf8'));

/** Commands of people who change kuik itself; CI runs them under other names. */
const ofDevelopers = ['develop.md'];

describe('the commands of the guides', () => {
  test.each(pages.filter(({ name, text }) => blocksIn(text).length > 0 && !ofDevelopers.includes(name)))('$name has a test that runs them', ({ name }) => {
    expect(tests.filter((text) => text.includes(name))).toHaveLength(1);
  });

  test.each(pages)('$name has none in a block that nobody would run', ({ text }) => {
    const unmarked = fencesIn(text).filter(({ language }) => language === '').map((block) => block.text);

    expect(unmarked.filter((block) => /^(?:kuik|kubectl|helm|temporal|crane|make|npm) /.test(block))).toEqual([]);
  });
});

/** Its blocks are values of the chart, which the test of its page renders. */
const ofValues = ['install.md'];

test.each(pages.filter(({ name, text }) => !ofValues.includes(name) && fencesIn(text).some(({ language }) => language === 'yaml')))('the configurations of $name are taken as they are', ({ text }) => {
  for (const block of fencesIn(text).filter(({ language }) => language === 'yaml')) {
    expect(loadConfig(block.text, { readFile: () => 'a file', installNamespace: 'kuik-system' })).toMatchObject({ config: expect.anything(), warnings: [] });
  }
});

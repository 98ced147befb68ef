/** Every reason the code can give stands on a page: whoever reads one in an annotation or an event finds what it means. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { reasonsPage } from '../../src/api/pages.js';
import { eventReasons } from '../../src/domain/event-reasons.js';
import { routeReasons } from '../../src/domain/names.js';
import { leftAloneReasons } from '../../src/domain/opt-out.js';
import { passOverReasons } from '../../src/domain/pass-over.js';
import { toldReasons } from '../../src/domain/pod-news.js';

const concept = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'concepts', 'route.md'), 'utf8');
const reference = reasonsPage();

describe('the reference page', () => {
  test.each([...routeReasons, ...leftAloneReasons, ...passOverReasons])('says what %s means', (reason) => {
    expect(reference).toMatch(new RegExp(`^\\| \`${reason}\` \\| .+\\. \\|$`, 'm'));
  });

  test.each([...toldReasons, ...Object.keys(eventReasons)])('says when an event %s comes, and where', (reason) => {
    expect(reference).toMatch(new RegExp(`^\\| \\w+ \\| \`${reason}\` \\| (?:Normal|Warning) \\| [^|]+ \\| .+\\. \\|$`, 'm'));
  });
});

describe('the page on routing', () => {
  test.each([...routeReasons, ...leftAloneReasons, ...passOverReasons])('names %s', (reason) => {
    expect(concept).toContain(`\`${reason}\``);
  });

  test('says which decisions are told as events', () => {
    const told = /Events: ([^.]+)\./.exec(concept)?.[1] ?? '';

    expect([...told.matchAll(/`(\w+)`/g)].map(([, reason]) => reason).sort()).toEqual([...toldReasons].sort());
  });
});

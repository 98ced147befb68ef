import { describe, expect, test } from '@jest/globals';
import { parseCopyArguments, type CopyOptions } from '../../../src/commands/copy/options.js';

const pair = ['quay.io/acme/api:v4', 'registry.example.com/acme/api:v4'] as const;

function read(...args: string[]): CopyOptions {
  const parsed = parseCopyArguments(args);
  if (!('options' in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.options;
}

describe('arguments of kuik copy', () => {
  test('two images are enough', () => {
    expect(read(...pair)).toEqual({
      what: { source: pair[0], destination: pair[1] },
      platforms: [],
      strategy: 'auto',
      referrers: 'none',
      concurrency: 4,
      plainHttp: [],
      caFiles: [],
      output: 'table',
    });
  });

  test.each<[string, string[], Partial<CopyOptions>]>([
    ['a list replaces the images', ['--from-file', 'images.txt'], { what: { list: 'images.txt' } }],
    ['a list may come from standard input', ['-f', '-'], { what: { list: '-' } }],
    ['platforms add up', [...pair, '--platform', 'linux/amd64', '--platform', 'linux/arm/v7'], { platforms: [{ os: 'linux', architecture: 'amd64' }, { os: 'linux', architecture: 'arm', variant: 'v7' }] }],
    ['hosts without TLS add up', [...pair, '--plain-http', 'a:5000', '--plain-http', 'b'], { plainHttp: ['a:5000', 'b'] }],
    ['an authority is trusted for one host', [...pair, '--ca-file', 'r.io:5000=/etc/ca.pem'], { caFiles: [{ host: 'r.io:5000', file: '/etc/ca.pem' }] }],
    ['options may stand first', ['-o', 'json', '-c', '8', ...pair], { output: 'json', concurrency: 8 }],
    ['signatures come along when asked for', [...pair, '--referrers', 'auto'], { referrers: 'auto' }],
    ['the strategy can be chosen', [...pair, '--strategy', 'rewrite'], { strategy: 'rewrite' }],
  ])('%s', (_sentence, args, expected) => {
    expect(read(...args)).toMatchObject(expected);
  });

  test.each([
    ['no image', [], /name SOURCE and DESTINATION/],
    ['one image', ['a:1'], /name SOURCE and DESTINATION/],
    ['three images', ['a:1', 'b:1', 'c:1'], /too many arguments/],
    ['images beside a list', ['a:1', 'b:1', '--from-file', 'list'], /exclude each other.*a:1/],
    ['a platform without architecture', [...pair, '--platform', 'linux'], /'linux'.*os\/architecture/s],
    ['a platform with an empty architecture', [...pair, '--platform', 'linux/'], /os\/architecture/],
    ['an authority for no host', [...pair, '--ca-file', '/etc/ca.pem'], /host\[:port\]=file/],
    ['a concurrency of zero', [...pair, '-c', '0'], /whole number from 1/],
    ['a concurrency that is no number', [...pair, '-c', 'many'], /whole number from 1/],
    ['referrers of a kind nobody knows', [...pair, '--referrers', 'some'], /'some'.*auto, none/s],
    ['an output nobody knows', [...pair, '-o', 'xml'], /'xml'.*table, json, yaml, name/s],
    ['an option nobody knows', [...pair, '--force'], /unknown option '--force'/],
  ])('%s is refused with what to write instead', (_sentence, args, message) => {
    const parsed = parseCopyArguments(args);

    expect(parsed).toEqual({ problem: expect.stringMatching(message) });
  });

  test('help names every option, an example and the exit codes', () => {
    const parsed = parseCopyArguments(['--help']);

    const text = 'help' in parsed ? parsed.help : '';
    for (const part of ['SOURCE DESTINATION', '--from-file', '--platform', '--referrers', '--concurrency', '--plain-http', '--ca-file', '--output', 'Examples:', '130 interrupted']) expect(text).toContain(part);
  });
});

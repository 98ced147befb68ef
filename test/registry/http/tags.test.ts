/** Lists of tags, as registries page them and as they should not. */
import { describe, expect, test } from '@jest/globals';
import type { Fault, FaultRegistry, FaultRegistryOptions } from '../../support/fault-registry.js';
import { aCall } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt } from '../../support/registry-client.js';

closeAfterEach();

async function tagsOf(server: FaultRegistry): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const tag of aClient().registry.tags(refAt(server, 'app'), [], aCall())) found.push(tag);
  return found;
}

/** A registry with so many tags, whatever they lead to. */
async function holding(count: number, options: FaultRegistryOptions = {}): Promise<{ server: FaultRegistry; tags: readonly string[] }> {
  const server = await aRegistryServer(options);
  const tags = Array.from({ length: count }, (_, index) => `v${String(index).padStart(5, '0')}`);
  for (const tag of tags) server.store.open('app').tags.set(tag, `sha256:${'0'.repeat(64)}`);
  return { server, tags };
}

/** What every page says. */
async function saying(does: Fault['does']): Promise<FaultRegistry> {
  const server = await aRegistryServer();
  server.fault({ on: { route: 'tags' }, times: Infinity, does: { status: 200, ...does } });
  return server;
}

describe('all tags of a repository', () => {
  test.each<[string, number, FaultRegistryOptions, number]>([
    ['of 10,000, in pages of 1,000', 10_000, {}, 10],
    ['of a registry that sends smaller pages than it was asked for', 1000, { pageLimit: 100 }, 10],
    ['of a registry that sends everything, unsorted', 2500, { paging: 'none', tagOrder: 'unsorted' }, 1],
    ['of a registry that cuts at the page without a link', 2500, { paging: 'cut' }, 3],
    ['when they are exactly one page', 1000, {}, 2],
    ['when they are exactly one page of a registry that cuts', 1000, { paging: 'cut' }, 2],
    ['when they are exactly one page of a registry that links to an empty one', 1000, { paging: 'eager' }, 2],
    ['when there is one', 1, {}, 1],
  ])('are listed %s', async (_sentence, count, options, pages) => {
    const { server, tags } = await holding(count, options);

    expect([...(await tagsOf(server))].sort()).toEqual(tags);
    expect(server.requests).toHaveLength(pages);
  });

  test.each<[string, Fault['does']]>([
    ['tags: null', { body: '{"name":"app","tags":null}' }],
    ['no tags at all', { body: '{"name":"app"}' }],
    ['an empty list', { body: '{"name":"app","tags":[]}' }],
    ['404 NAME_UNKNOWN', { status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN"}]}' }],
  ])('are none where the registry says %s', async (_sentence, does) => {
    expect(await tagsOf(await saying(does))).toEqual([]);
  });
});

describe('a list of tags that is none', () => {
  test.each<[string, Fault['does'], string]>([
    ['a link that never ends', { body: '{"tags":["a"]}', headers: { link: '</v2/app/tags/list?n=1&last=a>; rel="next"' } }, 'too-large'],
    ['a link to another host', { body: '{"tags":["a"]}', headers: { link: '<http://127.0.0.1:9/v2/app/tags/list>; rel="next"' } }, 'invalid'],
    ['a page larger than 1 MiB', { body: JSON.stringify({ tags: ['x'.repeat(2 * 1024 * 1024)] }) }, 'too-large'],
    ['headers larger than 32 KiB', { body: '{"tags":[]}', headers: { 'x-padding': 'x'.repeat(40_000) } }, 'too-large'],
    ['numbers', { body: '{"tags":[1]}' }, 'invalid'],
    ['a page for people', { body: '<html>' }, 'invalid'],
  ])('%s is refused', async (_sentence, does, code) => {
    await expect(tagsOf(await saying(does))).rejects.toMatchObject({ code, side: 'source' });
  });

  test('a link to another host is not asked for', async () => {
    const [server, canary] = [await saying({ body: '{"tags":["a"]}' }), await aRegistryServer()];
    server.fault({ on: { route: 'tags' }, times: Infinity, does: { headers: { link: `<http://${canary.host}/v2/app/tags/list>; rel="next"` } } });

    await expect(tagsOf(server)).rejects.toMatchObject({ code: 'invalid' });

    expect(canary.requests).toEqual([]);
  });

  test('an absolute link to the registry itself is followed', async () => {
    const server = await saying({ body: '{"tags":["b"]}' });
    server.fault({ on: { route: 'tags' }, does: { body: '{"tags":["a"]}', headers: { link: `<http://${server.host}/v2/app/tags/list?n=1&last=a>; rel=next` } } });

    expect(await tagsOf(server)).toEqual(['a', 'b']);
  });
});

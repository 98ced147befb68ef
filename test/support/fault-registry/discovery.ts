/** Lists: tags and referrers, in pages. */
import { json, refuse, type Ask, type Reply } from './ask.js';
import type { Manners } from './manners.js';
import { referrersOf } from './referrers.js';
import type { Store } from './store.js';

const indexType = 'application/vnd.oci.image.index.v1+json';

export function listTags(store: Store, manners: Manners, ask: Ask, name: string): Reply {
  const repository = store.find(name);
  if (repository === undefined) return refuse([404, 'NAME_UNKNOWN']);
  const { paging = 'link', pageLimit = Infinity, tagOrder = 'sorted' } = manners;
  const asked = ask.url.searchParams.get('n');
  const n = paging === 'none' ? Infinity : Math.min(pageLimit, asked === null ? Infinity : Number(asked));
  const all = [...repository.tags.keys()].sort();
  if (tagOrder === 'unsorted') all.reverse();
  const last = paging === 'none' ? null : ask.url.searchParams.get('last');
  const rest = last === null ? all : all.filter((tag) => tag > last);
  const tags = rest.slice(0, n);
  const isMore = (paging === 'link' && rest.length > n) || (paging === 'eager' && rest.length >= n);
  return json({ name, tags }, isMore ? { link: `<${ask.url.pathname}?n=${n}&last=${encodeURIComponent(tags.at(-1) ?? '')}>; rel="next"` } : {});
}

export function listReferrers(store: Store, manners: Manners, ask: Ask, name: string, digest: string): Reply {
  if (typeof manners.referrers === 'object') return refuse(manners.referrers);
  if (manners.referrers === false) return { status: 404, headers: { 'content-type': 'text/plain' }, body: Buffer.from('404 page not found\n') };
  if (!/^sha(256|512):[0-9a-f]+$/.test(digest)) return refuse([400, 'DIGEST_INVALID']);
  const filter = manners.filtersReferrers === false ? null : ask.url.searchParams.get('artifactType');
  const found = referrersOf(store.find(name), digest).filter(({ artifactType }) => filter === null || artifactType === filter);
  const from = Number(ask.url.searchParams.get('from') ?? 0);
  const page = found.slice(from, from + (manners.referrersPage ?? Infinity));
  const next = from + page.length;
  const query = new URLSearchParams({ ...(filter === null ? {} : { artifactType: filter }), from: String(next) });
  return json(
    { schemaVersion: 2, mediaType: indexType, manifests: page },
    { ...(filter === null ? {} : { 'oci-filters-applied': 'artifactType' }), ...(next < found.length ? { link: `<${ask.url.pathname}?${query.toString()}>; rel="next"` } : {}) },
    indexType,
  );
}

/** In what honest registries differ, as data. What is not told is what the specification asks for. */
import type { Refusal } from './ask.js';

export interface Manners {
  // reading
  /**
   * who is shown a manifest: whoever accepts its media type (`type`, unless told), whoever accepts anything that
   * registries speak (`any`), everybody (`ignored`)
   */
  readonly accept?: 'type' | 'any' | 'ignored';
  /** `If-None-Match` is heeded, unless told */
  readonly conditional?: boolean;
  /**
   * `closed` serves `bytes=1-2` and refuses `bytes=1-`; `short`: a range beyond the end is refused with the length of the
   * blob, and less than that
   */
  readonly serves?: { readonly ranges?: boolean | 'closed' | 'short' };
  /** a blob of one repository is in all of them */
  readonly sharesBlobs?: boolean;
  /** blobs are redirected to another origin */
  readonly redirectBlobsTo?: () => string;

  // uploading
  /** absolute upload locations, relative ones unless told */
  readonly locationBase?: () => string;
  readonly mounts?: boolean;
  /** a blob may come with the POST; where not, its bytes are ignored and a session opens */
  readonly singlePost?: boolean;
  /** what the status of a session is refused with */
  readonly uploadStatus?: Refusal;
  /** what the end of a session is refused with */
  readonly uploadAbort?: Refusal;
  /** a PATCH to a location that is not the newest; 416 unless told */
  readonly staleLocation?: 'accepted' | Refusal;
  /** a PATCH that does not begin where the session ends; 416 unless told */
  readonly gap?: 'appended' | Refusal;
  /** what a connection that ends in the middle of a body leaves of the session */
  readonly cutUpload?: 'received' | 'lost';
  /** bytes of `OCI-Chunk-Min-Length` */
  readonly minChunk?: number;
  /** bytes of a request's body beyond which the answer is 413 */
  readonly bodyLimit?: number;
  /** status of a PATCH that was taken: 202 unless told */
  readonly patched?: number;

  // publishing
  /** an index may be pushed without its children */
  readonly acceptsSparse?: boolean;
  readonly sparseRefusal?: Refusal;
  /** whether a manifest has to be one, and to match the digest it is pushed by; unless told it has */
  readonly checksManifests?: boolean;
  /** an image may be pushed without its blobs */
  readonly acceptsHollow?: boolean;
  /** what a layer with `urls` is refused with */
  readonly foreignLayers?: Refusal;
  /** bytes of the largest manifest, and what a larger one is refused with */
  readonly manifestLimit?: readonly [bytes: number, ...Refusal];
  readonly immutableTags?: boolean;
  /** repositories must be made before */
  readonly createsRepositories?: boolean;

  // discovering
  /** `link` pages, `eager` links after a last page that is full too, `cut` stops at `n` without a link, `none` ignores `n` */
  readonly paging?: 'link' | 'eager' | 'cut' | 'none';
  /** most tags on a page, whatever was asked for */
  readonly pageLimit?: number;
  readonly tagOrder?: 'sorted' | 'unsorted';
  readonly referrers?: boolean | Refusal;
  /** whether a filter on `artifactType` is applied, and said to be */
  readonly filtersReferrers?: boolean;
  /** most referrers on a page */
  readonly referrersPage?: number;

  // deleting
  readonly deletes?: Deletion;
}

/** The delete matrix of a registry. */
export interface Deletion {
  /**
   * DELETE by tag: takes `that-tag` (unless told), `its-digest` with every tag on it, or `last-takes-digest`: the tag,
   * and the manifest with the last tag on it
   */
  readonly tag?: 'that-tag' | 'its-digest' | 'last-takes-digest' | Refusal;
  /**
   * DELETE by digest: all its tags vanish `with-tags` (unless told), stay and still answer, or `dangle`: are listed and
   * lead nowhere; `untagged` and `unlisted` refuse while a tag or an index names it; `recursive` takes its children too
   */
  readonly digest?: 'with-tags' | 'tags-stay' | 'tags-dangle' | 'untagged' | 'unlisted' | 'recursive' | Refusal;
  /** what refuses a digest that is still named */
  readonly stillNamed?: Refusal;
  /** DELETE of what is not there; 404 unless told */
  readonly absentTag?: Refusal;
  readonly blob?: 'blob' | Refusal;
  /** reads that still find what was deleted */
  readonly lag?: number;
  /** path beside the specification that deletes one tag */
  readonly vendorPath?: 'acr' | 'gitlab';
}

import type { z } from 'zod';
import { listOf, optional, shortText, type About } from './field-types.js';
import { exactlyOneKey, noImageKey, patternsCompile, validated, type Validation } from './validation.js';

const image = shortText(128, {
  description: 'RE2 pattern for the whole canonical name of an image, host and repository written out; no tag is added to an untagged one. Empty: constrains nothing. At most 128 characters.',
  example: 'docker\\.io/library/.+',
});
const label = shortText(512, {
  description: 'Kubernetes label selector on the labels of the Pod. Empty: constrains nothing. At most 512 characters.',
  example: 'app=web,tier in (front,back)',
});
const annotation = shortText(512, {
  description: 'Selector with the grammar of label selectors, on the annotations of the Pod. Empty: constrains nothing. At most 512 characters.',
  example: 'example.com/team=payments',
});
const namespace = shortText(128, {
  description: 'RE2 pattern for the whole name of the namespace of the Pod. Empty: constrains nothing. At most 128 characters.',
  example: 'team-.+',
});

const clusterItem = optional({ image, label, annotation, namespace }).meta({ description: 'One condition: exactly one of the keys.', example: { image: 'docker\\.io/library/.+' } });
const namespacedItem = optional({ image, label, annotation }).meta({ description: 'One condition: exactly one of the keys.', example: { image: 'docker\\.io/library/.+' } });

const clusterKeys = exactlyOneKey(['image', 'label', 'annotation', 'namespace']);
const namespacedKeys = exactlyOneKey(['image', 'label', 'annotation']);

const imagesAndPods = 'Which images, and of which Pods. Items are grouped by key: within a key one matching include is enough, a key without includes accepts everything, all keys must accept, one matching exclude rejects. Default: selects nothing.';
const podsOnly = 'Which Pods see this rule. Items are grouped by key: within a key one matching include is enough, all keys must accept, one matching exclude rejects. Default: all Pods.';

/** `filter` of `ClusterImageSetMirror` and `ClusterImageSetAvailability`. */
export const ClusterFilter = filterOf(clusterItem, [clusterKeys], { description: imagesAndPods }, { image: 'docker\\.io/library/.+' }, { namespace: 'sandbox' });
export type ClusterFilter = z.infer<typeof ClusterFilter>;

/** `filter` of `ImageSetMirror`. */
export const NamespacedFilter = filterOf(namespacedItem, [namespacedKeys], { description: imagesAndPods }, { image: 'docker\\.io/library/.+' }, { label: 'tier=cache' });
export type NamespacedFilter = z.infer<typeof NamespacedFilter>;

/** `filter` of `ClusterReplicatedImageSet`: no images, those are selected per upstream. */
export const ClusterPodFilter = filterOf(clusterItem, [clusterKeys, noImageKey], { description: podsOnly }, { label: 'app=web' }, { namespace: 'sandbox' });
export type ClusterPodFilter = z.infer<typeof ClusterPodFilter>;

/** `filter` of `ReplicatedImageSet`. */
export const NamespacedPodFilter = filterOf(namespacedItem, [namespacedKeys, noImageKey], { description: podsOnly }, { label: 'app=web' }, { label: 'tier=cache' });
export type NamespacedPodFilter = z.infer<typeof NamespacedPodFilter>;

const deprecatedFilter: About = { description: 'Deprecated, use filter: which images, by patterns alone. Excludes filter. Default: selects nothing.' };
const upstreamFilter: About = {
  description: 'Which images this upstream matches. The registry is taken off the name first, so patterns start with a slash. Default: matches none, but the upstream can still be pulled from.',
};

/** `imageFilter` of the mirror kinds and of `ClusterImageSetAvailability`. */
export const ImageFilter = patternsOf(deprecatedFilter, 'docker\\.io/library/.+', 'docker\\.io/library/.+:latest');
export type ImageFilter = z.infer<typeof ImageFilter>;

/** `imageFilter` of one upstream. */
export const UpstreamImageFilter = patternsOf(upstreamFilter, '/library/.+', '/library/.+:latest');
export type UpstreamImageFilter = z.infer<typeof UpstreamImageFilter>;

function filterOf<T extends typeof clusterItem | typeof namespacedItem>(item: T, rules: readonly Validation<readonly unknown[]>[], about: About, include: object, exclude: object) {
  const list = (what: string, example: object) => {
    const description = `${what} At most 16.`;
    return validated(listOf(item, 16, { description }), { description, example: [example] }, rules);
  };
  return optional({ include: list('What is in scope.', include), exclude: list('What is not, even if included.', exclude) }).meta({ ...about });
}

function patternsOf(about: About, include: string, exclude: string) {
  const pattern = shortText(128, { description: 'RE2 pattern for the whole text.', example: include });
  const list = (what: string, example: string) => {
    const description = `${what} RE2 patterns for the whole text, at most 16 of at most 128 characters.`;
    return validated(listOf(pattern, 16, { description }), { description, example: [example] }, [patternsCompile]);
  };
  return optional({ include: list('Images that are selected. Empty: all that are not excluded.', include), exclude: list('Images that are not selected, even if included.', exclude) }).meta({ ...about });
}

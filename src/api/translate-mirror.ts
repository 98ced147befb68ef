import { parseImageRef } from '../domain/image-ref.js';
import { mirrorPlace } from '../domain/join.js';
import type { Mirror, MirrorRule, Problem } from '../domain/rule.js';
import type { Field } from './field.js';
import type { RuleBase } from './translate.js';
import { translateFilters, type ItemKey } from './translate-filter.js';
import { checkSegments, mergeCleanup, readCleanup, translateItems, translatePlatforms, translateSecret, type SecretScope } from './translate-place.js';

/** Any image will do to see whether registry and path join to a reference. */
const someImage = { host: 'docker.io', path: 'library/nginx', tag: '1.27' };

/** Reads the spec of a `ClusterImageSetMirror` or `ImageSetMirror`. */
export function translateMirror(spec: Field, base: RuleBase, keys: readonly ItemKey[], secrets: SecretScope, problems: Problem[]): MirrorRule {
  const cleanup = readCleanup(spec.get('cleanup'));
  return {
    ...base,
    type: 'mirror',
    ...translateFilters(spec, keys),
    mirrors: translateItems(spec.get('mirrors'), problems, (item, index) => translateOneMirror(item, index, cleanup, secrets)),
    drift: spec.get('drift').oneOf(['keep', 'warn', 'sync']) ?? 'keep',
    problems,
  };
}

function translateOneMirror(item: Field, index: number, outer: ReturnType<typeof readCleanup>, secrets: SecretScope): Mirror {
  const platforms = item.get('platforms');
  const mirror: Mirror = {
    index,
    registry: item.get('registry').text() ?? '',
    path: item.get('path').text() ?? '',
    priority: item.get('priority').integer() ?? 0,
    credentialSecret: translateSecret(item.get('credentialSecret'), secrets),
    pullSecret: translateSecret(item.get('pullSecret'), secrets),
    platforms: platforms.isPresent() ? translatePlatforms(platforms) : undefined,
    copy: item.get('copy').oneOf(['all', 'sparse', 'rewrite', 'auto']) ?? 'auto',
    layout: item.get('layout').oneOf(['path', 'host']) ?? 'path',
    referrers: item.get('referrers').oneOf(['auto', 'none']) ?? 'auto',
    shared: item.get('shared').boolean() ?? false,
    cleanup: mergeCleanup(readCleanup(item.get('cleanup')), outer),
  };
  checkSegments(item);
  checkJoin(item, mirror);
  return mirror;
}

function checkJoin(item: Field, mirror: Mirror): void {
  const joined = [mirror.registry, mirror.path].join('/');
  if (parseImageRef(joined) === undefined && mirrorPlace(mirror, someImage) === undefined) {
    item.note(`joins to "${joined}", which is no place for images; write a registry such as registry.example.com:5000 and a path such as /mirror`);
  }
}

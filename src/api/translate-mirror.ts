import { joinedText } from '../domain/join.js';
import type { Mirror, MirrorRule, Problem } from '../domain/rule.js';
import type { Field } from './field.js';
import type { RuleBase } from './translate.js';
import { translateFilters, type ItemKey } from './translate-filter.js';
import { checkLocation, mergeCleanup, readCleanup, translateItems, translatePlatforms, translateSecret, type SecretScope } from './translate-place.js';

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
  checkNamed(item);
  checkLocation(item, mirror);
  return mirror;
}

/** Nothing joins to Docker Hub, and everything there would lie inside the mirror. */
function checkNamed(item: Field): void {
  if (typeof item.value !== 'object' || Array.isArray(item.value)) return;
  const [registry = '', path = ''] = [item.get('registry').value, item.get('path').value];
  if (typeof registry !== 'string' || typeof path !== 'string' || joinedText({ registry, path }) !== '') return;
  item.note('names neither a registry nor a path, which would make all of Docker Hub a mirror; write a registry such as registry.example.com:5000 and a path such as /mirror');
}

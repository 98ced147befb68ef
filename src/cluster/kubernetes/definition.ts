import { annotations, fieldManagers } from '../../domain/names.js';
import { apply } from './apply.js';
import type { Requests } from './requests.js';
import type { ResourceType } from './resources.js';

/** A CustomResourceDefinition, as far as its upgrade asks. */
export interface Definition {
  /** `<plural>.<group>` */
  readonly name: string;
  /** of kuik that wrote it; undefined where it does not say, as those of v2 */
  readonly version?: string;
  /** changes with every write that changes anything */
  readonly resourceVersion: string;
}

const type: ResourceType = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions', kind: 'CustomResourceDefinition' };

interface Read {
  readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly annotations?: Readonly<Record<string, string>> };
}

/** @throws Failure side `cluster` */
export async function readDefinition(requests: Requests, name: string): Promise<Definition | undefined> {
  const found = await requests.jsonOrNothing({ verb: 'get', type, name });
  return found === undefined ? undefined : definitionOf(found);
}

/**
 * Applies a definition as `kuik-definitions`, over whoever wrote it before: Helm installs it once and never again.
 *
 * @throws Failure side `cluster`
 */
export async function applyDefinition(requests: Requests, definition: { readonly metadata: { readonly name: string; readonly annotations?: object }; readonly spec: unknown }): Promise<Definition> {
  const { metadata, spec } = definition;
  return definitionOf(await apply(requests, type, { name: metadata.name }, fieldManagers.definitions, { metadata: { annotations: metadata.annotations }, spec }, { force: true }));
}

function definitionOf(object: unknown): Definition {
  const { name, resourceVersion, annotations: noted } = (object as Read).metadata;
  const version = noted?.[annotations.version];
  return { name, resourceVersion, ...(version === undefined ? {} : { version }) };
}

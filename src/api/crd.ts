import { annotations, apiGroup } from '../domain/names.js';
import { lintSchema } from './schema-lint.js';
import { published, structural, type Structural } from './structural.js';
import type { Column, Kind } from './v1alpha1/kind.js';

export const crdVersion = 'v1alpha1';

/** Before the first look nobody may call an object ready: kstatus takes one without conditions for done. */
const unseenStatus = { observedGeneration: -1 };

/**
 * The CustomResourceDefinition of one kind.
 *
 * @param version of kuik, which the definition says: an earlier kuik leaves it alone
 * @throws Error that lists everything the lint found, since what it finds is a mistake in our own source
 * @see https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
 */
export function customResourceDefinition(kind: Kind, version: string) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${apiGroup}`, annotations: { [annotations.version]: version } },
    spec: {
      group: apiGroup,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        shortNames: [kind.shortName],
        ...(kind.categories.length > 0 && { categories: kind.categories }),
      },
      scope: kind.scope,
      versions: [
        {
          name: crdVersion,
          served: true,
          storage: true,
          additionalPrinterColumns: kind.columns.map(printerColumn),
          schema: { openAPIV3Schema: resourceSchema(kind) },
          subresources: { status: {} },
        },
      ],
    },
  };
}

/** Spec and status of a kind, before they are published. */
export function schemasOf(kind: Kind): { readonly spec: Structural; readonly status: Structural } {
  const spec = structural(kind.spec);
  const status = { ...structural(kind.status), default: unseenStatus };
  const found = [...lintSchema(spec, `${kind.kind} spec`), ...lintSchema(status, `${kind.kind} status`)];
  if (found.length > 0) throw new Error(`schemas that cannot become a CRD:\n${found.join('\n')}`);
  return { spec, status };
}

function resourceSchema(kind: Kind): Structural {
  const { spec, status } = schemasOf(kind);
  return {
    description: kind.description,
    type: 'object',
    ...(kind.isSpecRequired && { required: ['spec'] }),
    properties: {
      apiVersion: { description: `Version of this kind: ${apiGroup}/${crdVersion}.`, type: 'string' },
      kind: { description: `The kind itself: ${kind.kind}.`, type: 'string' },
      metadata: { type: 'object' },
      spec: published(spec),
      status: published(status),
    },
  };
}

function printerColumn({ name, type, jsonPath, description, isWide }: Column): object {
  return { name, type, description, jsonPath, ...(isWide && { priority: 1 }) };
}

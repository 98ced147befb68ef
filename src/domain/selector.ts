/** A ready Kubernetes label selector: whether a map of labels or annotations meets every requirement. */
export type Selector = (labels: Readonly<Record<string, string>>) => boolean;

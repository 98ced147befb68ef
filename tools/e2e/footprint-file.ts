/** What Pods take at rest, as it is written down. */

/** Kept in the repository; the README of the chart shows it. */
export const footprintFile = 'bench/results/footprint.json';

export interface Footprint {
  /** `2026-11-28` */
  readonly date: string;
  readonly conditions: {
    readonly cores: number;
    /** of the last minute: what else the machine was busy with */
    readonly loadAverage: number;
    readonly kubernetes: string;
    readonly node: string;
    readonly temporal: string;
    /** images that kuik knows of */
    readonly images: number;
    /** from `helm install`, its images being on the node, until every Pod was ready and the check had passed: `45 s` */
    readonly readyAfter: string;
    /** how long nothing happened before */
    readonly settledSeconds: number;
    readonly measuredSeconds: number;
  };
  readonly pods: readonly PodFootprint[];
}

export interface PodFootprint {
  /** `webhook` */
  readonly component: string;
  readonly replicas: number;
  /** what `kubectl top` shows, of the largest */
  readonly workingSetMiB: number;
  /** of the largest; the rest of the working set is files the kernel keeps, which it gives up when it must */
  readonly rssMiB: number;
  /** thousandths of a core, of the busiest */
  readonly cpuMillicores: number;
}

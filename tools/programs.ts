import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A program that demo, tests and benches start. Its module is a folder of `tools/go`: `go.mod` and `go.sum` pin
 * every line of code in it, so the same commit always builds the same program.
 */
export interface Program {
  readonly name: ProgramName;
  /** folder of `tools/go` */
  readonly module: string;
  /** what `go build` is asked for */
  readonly package: string;
  /** build tags, separated by commas */
  readonly tags?: string;
  /** the line of `go.mod` that holds the version; absent where the code is ours */
  readonly versionOf?: string;
  /** arguments that print a version and end with status 0 */
  readonly versionArguments: readonly string[];
  /** what that prints when a program of this name is the one we mean: `registry` is a common name */
  readonly versionLooksLike: RegExp;
  /** on two cores, with nothing built before; shown so that nobody thinks it hangs */
  readonly usually: string;
  /** `cluster`: only a cluster in which Pods run needs it, see `tools/cluster`; every test otherwise */
  readonly only?: 'cluster';
}

export type ProgramName = 'promtool' | 'etcd' | 'kube-apiserver' | 'kubectl' | 'registry' | 'crane' | 'regctl' | 'temporal' | 'helm' | ClusterProgram;

/** What a cluster in which Pods run has beside: its other components, and what its images are made of. */
export type ClusterProgram = 'kubelet' | 'kube-controller-manager' | 'kube-scheduler' | 'kube-proxy' | 'coredns' | 'pause' | 'temporal-server' | 'temporal-sql-tool' | 'temporal-ui';

/** Small ones first: something is finished soon, and what two programs share is already compiled for the large one. */
export const programs: readonly Program[] = [
  {
    name: 'regctl',
    module: 'regctl',
    package: 'github.com/regclient/regclient/cmd/regctl',
    versionOf: 'github.com/regclient/regclient',
    versionArguments: ['version'],
    versionLooksLike: /VCSTag/,
    usually: 'less than a minute',
  },
  {
    name: 'crane',
    module: 'crane',
    package: 'github.com/google/go-containerregistry/cmd/crane',
    versionOf: 'github.com/google/go-containerregistry',
    versionArguments: ['version'],
    versionLooksLike: /\d/,
    usually: 'less than a minute',
  },
  {
    name: 'etcd',
    module: 'etcd',
    package: '.',
    versionOf: 'go.etcd.io/etcd/server/v3',
    versionArguments: ['--version'],
    versionLooksLike: /etcd Version/,
    usually: 'about a minute',
  },
  {
    name: 'registry',
    module: 'registry',
    package: 'github.com/distribution/distribution/v3/cmd/registry',
    versionOf: 'github.com/distribution/distribution/v3',
    versionArguments: ['--version'],
    versionLooksLike: /distribution\/v3/,
    usually: '1 to 2 minutes',
  },
  {
    name: 'helm',
    module: 'helm',
    package: 'helm.sh/helm/v4/cmd/helm',
    versionOf: 'helm.sh/helm/v4',
    versionArguments: ['version', '--short'],
    versionLooksLike: /^v[34]\./,
    usually: '1 to 2 minutes',
  },
  {
    name: 'promtool',
    module: 'promtool',
    package: 'github.com/prometheus/prometheus/cmd/promtool',
    tags: 'remove_all_sd', // it is to check rules: what finds targets in clouds is most of its code
    versionOf: 'github.com/prometheus/prometheus',
    versionArguments: ['--version'],
    versionLooksLike: /promtool, version/,
    usually: '1 to 2 minutes',
  },
  {
    name: 'kubectl',
    module: 'kubernetes',
    package: 'k8s.io/kubernetes/cmd/kubectl',
    versionOf: 'k8s.io/kubernetes',
    versionArguments: ['version', '--client'],
    versionLooksLike: /Client Version/,
    usually: '1 to 2 minutes',
  },
  {
    name: 'temporal',
    module: 'temporal',
    package: 'github.com/temporalio/cli/cmd/temporal',
    versionOf: 'github.com/temporalio/cli',
    versionArguments: ['--version'],
    versionLooksLike: /temporal version/,
    usually: '2 to 4 minutes',
  },
  {
    name: 'kube-apiserver',
    module: 'kubernetes',
    package: 'k8s.io/kubernetes/cmd/kube-apiserver',
    versionOf: 'k8s.io/kubernetes',
    versionArguments: ['--version'],
    versionLooksLike: /Kubernetes v/,
    usually: '2 to 4 minutes',
  },
  {
    name: 'pause',
    module: 'pause',
    package: '.',
    versionArguments: ['-version'],
    versionLooksLike: /kube-image-keeper/,
    usually: 'seconds',
    only: 'cluster',
  },
  ...(['kube-scheduler', 'kube-proxy', 'kubelet', 'kube-controller-manager'] as const).map(
    (name): Program => ({
      name,
      module: 'kubernetes',
      package: `k8s.io/kubernetes/cmd/${name}`,
      versionOf: 'k8s.io/kubernetes',
      versionArguments: ['--version'],
      versionLooksLike: /Kubernetes v/,
      usually: 'about a minute',
      only: 'cluster',
    }),
  ),
  {
    name: 'coredns',
    module: 'coredns',
    package: '.',
    versionOf: 'github.com/coredns/coredns',
    versionArguments: ['-version'],
    versionLooksLike: /CoreDNS/,
    usually: '1 to 2 minutes',
    only: 'cluster',
  },
  {
    name: 'temporal-ui',
    module: 'temporal-ui',
    package: 'github.com/temporalio/ui-server/v2/cmd/server',
    versionOf: 'github.com/temporalio/ui-server/v2',
    versionArguments: ['--version'],
    versionLooksLike: /version/,
    usually: 'about a minute',
    only: 'cluster',
  },
  {
    name: 'temporal-server',
    module: 'temporal-server',
    package: 'go.temporal.io/server/cmd/server',
    versionOf: 'go.temporal.io/server',
    versionArguments: ['--version'],
    versionLooksLike: /version/,
    usually: '2 to 4 minutes',
    only: 'cluster',
  },
  {
    name: 'temporal-sql-tool',
    module: 'temporal-server',
    package: 'go.temporal.io/server/cmd/tools/sql',
    versionOf: 'go.temporal.io/server',
    versionArguments: ['--version'],
    versionLooksLike: /version/,
    usually: 'seconds',
    only: 'cluster',
  },
];

/** What `make setup` brings. */
export const usualPrograms = programs.filter(({ only }) => only === undefined);

/** What only a cluster and its images need. */
export const clusterPrograms = programs.filter(({ only }) => only === 'cluster');

export function programNamed(name: string): Program {
  const program = programs.find((each) => each.name === name);
  if (program === undefined) throw new Error(`there is no program ${name}; known: ${programs.map((each) => each.name).join(', ')}`);
  return program;
}

/** Folder of the program's Go module. */
export function moduleFolder(program: Program): string {
  return join(projectRoot(), 'tools', 'go', program.module);
}

/** Version the project pins, without `v`: `1.34.4`; `ours` where the code lies in this checkout. */
export function pinnedVersion(program: Program): string {
  if (program.versionOf === undefined) return 'ours';
  const words = readFileSync(join(moduleFolder(program), 'go.mod'), 'utf8').split(/\s+/);
  const version = words.find((word, at) => words[at - 1] === program.versionOf && /^v\d/.test(word));
  if (version === undefined) throw new Error(`tools/go/${program.module}/go.mod does not name ${program.versionOf}`);
  return version.slice(1);
}

/** The checkout, found from `tools/` as well as from `dist/tools/`. */
export function projectRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'tools', 'go'))) {
    if (dirname(folder) === folder) throw new Error('tools/go was not found: the tools run inside a checkout of kube-image-keeper');
    folder = dirname(folder);
  }
  return folder;
}

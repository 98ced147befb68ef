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
  /** the line of `go.mod` that holds the version */
  readonly versionOf: string;
  /** arguments that print a version and end with status 0 */
  readonly versionArguments: readonly string[];
  /** what that prints when a program of this name is the one we mean: `registry` is a common name */
  readonly versionLooksLike: RegExp;
  /** on two cores, with nothing built before; shown so that nobody thinks it hangs */
  readonly usually: string;
}

export type ProgramName = 'etcd' | 'kube-apiserver' | 'kubectl' | 'registry' | 'crane' | 'regctl' | 'temporal' | 'helm';

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
];

export function programNamed(name: string): Program {
  const program = programs.find((each) => each.name === name);
  if (program === undefined) throw new Error(`there is no program ${name}; known: ${programs.map((each) => each.name).join(', ')}`);
  return program;
}

/** Folder of the program's Go module. */
export function moduleFolder(program: Program): string {
  return join(projectRoot(), 'tools', 'go', program.module);
}

/** Version the project pins, without `v`: `1.34.4`. */
export function pinnedVersion(program: Program): string {
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

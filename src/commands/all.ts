/** Every command, by name. Commands load lazily: the Kubernetes and Temporal clients cost most of a second to import. */
import process from 'node:process';
import { keepYoungGenerationSmall } from './young-generation.js';

export type Run = (args: readonly string[]) => Promise<number>;

export interface Command {
  readonly help: string;
  /** a long-running half of kuik, not a question of a person */
  readonly isProcess?: true;
  /** asked by shells, and not by people */
  readonly isHidden?: true;
  readonly load: () => Promise<Run>;
}

export const commands: Readonly<Record<string, Command>> = {
  explain: { help: 'where would each container pull from, and why', load: async () => (await import('./explain.js')).explain },
  status: { help: 'the whole installation on one screen, what is wrong first', load: async () => (await import('./status.js')).status },
  rehearse: { help: 'which workloads could not restart if a registry went away', load: async () => (await import('./rehearse.js')).rehearse },
  images: { help: 'every image, its places and its users', load: async () => (await import('./images.js')).images },
  describe: { help: 'all that is known of one image', load: async () => (await import('./describe.js')).describe },
  logs: { help: 'what happened to the copies of an image', load: async () => (await import('./logs.js')).logs },
  ui: { help: "Temporal's UI at the right history", load: async () => (await import('./ui.js')).ui },
  retry: { help: 'try copies again now, and tell how each ended', load: async () => (await import('./retry.js')).retry },
  mirror: { help: 'copy an image to its mirrors now', load: async () => (await import('./retry.js')).mirror },
  pin: { help: 'keep an unused copy', load: async () => (await import('./pin.js')).pin },
  unpin: { help: 'let it go again', load: async () => (await import('./pin.js')).unpin },
  pause: { help: 'hold an image, or suspend a rule', load: async () => (await import('./pause.js')).pause },
  resume: { help: 'let it go on', load: async () => (await import('./pause.js')).resume },
  preview: { help: 'which copies will be deleted, and what rules would change', load: async () => (await import('./preview.js')).preview },
  cluster: { help: 'which clusters share our copies; forget one that is gone', load: async () => (await import('./cluster.js')).cluster },
  check: { help: 'is the installation healthy, part by part; before one, is the cluster fit', load: async () => (await import('./check.js')).check },
  uninstall: { help: 'take webhook and finalizers away, before kuik itself goes', load: async () => (await import('./uninstall.js')).uninstall },
  copy: { help: 'copy one image between two registries', load: async () => (await import('./copy.js')).copy },
  migrate: { help: 'what replaces a v1 set-up; what is different after v2', load: async () => (await import('./migrate.js')).migrate },
  bundle: { help: 'a support archive, without secrets', load: async () => (await import('./bundle.js')).bundle },
  completion: { help: 'completion for bash, zsh, fish and PowerShell', load: async () => (await import('./completion.js')).completion },
  version: { help: 'the version, and the commit it was built from', load: async () => (await import('./version.js')).version },
  __complete: { help: 'what can follow on a command line', isHidden: true, load: async () => (await import('./completion.js')).complete },
  run: { help: 'webhook and manager in one process', isProcess: true, load: serve('run') },
  webhook: { help: 'the admission server', isProcess: true, load: serve('webhook') },
  manager: { help: 'watchers and Temporal workers', isProcess: true, load: serve('manager') },
};

function serve(role: 'run' | 'webhook' | 'manager'): () => Promise<Run> {
  return async () => {
    if (role !== 'webhook') keepYoungGenerationSmall(); // whoever copies relays blobs; admission has other garbage
    const { serve: start } = await import('./serve.js');
    return async (args) => {
      try {
        process.exitCode = await start(role, args);
      } catch (error) {
        fail(error);
      }
      // everything that can be closed is closed; the native side of Temporal, when no worker ever came to run, holds the process for ever
      return process.exit();
    };
  };
}

/** Says what stopped a command that it did not expect itself. */
export function fail(error: unknown): void {
  process.stderr.write(`kuik: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Stage } from '../../tools/demo/stage.js';
import { projectRoot } from '../../tools/programs.js';

/** How a command of the command line ended. */
export interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs `kuik` as a user does who has the kubeconfig of the stage. */
export function kuikOn(stage: Pick<Stage, 'api'>, ...args: readonly string[]): Promise<Ended> {
  return kuikAs(stage.api.kubeconfig, ...args);
}

/** The same, with the kubeconfig of somebody else. */
export function kuikAs(kubeconfig: string, ...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(join(projectRoot(), 'bin', 'kuik'), [...args, '--kubeconfig', kubeconfig], (error, output, errors) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, output, errors }));
  });
}

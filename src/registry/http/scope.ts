import type { Repository } from '../../domain/image-ref.js';

/** `repository:<path>:<action>[,<action>]`: what a token is asked for. @see distribution, docs/spec/auth/scope.md */
export type Scope = string;

export function readScope(repository: Pick<Repository, 'path'>): Scope {
  return `repository:${repository.path}:pull`;
}

export function writeScope(repository: Pick<Repository, 'path'>): Scope {
  return `repository:${repository.path}:pull,push`;
}

export function deleteScope(repository: Pick<Repository, 'path'>): Scope {
  return `repository:${repository.path}:pull,push,delete`;
}

/** The scope without leave to delete: some token services do not know the action. */
export function withoutDelete(scope: Scope): Scope {
  const [resource, actions] = takeApart(scope);
  return `${resource}:${actions.filter((action) => action !== 'delete').join(',')}`;
}

/** Splits a challenge's `scope`, in which several may stand. */
export function splitScopes(text: string | undefined): readonly Scope[] {
  return (text ?? '').split(/\s+/).filter((scope) => scope !== '');
}

/** Whether scopes allow all that others ask for. A path may contain a `:`, so scopes are read from both ends. */
export function covers(held: readonly Scope[], wanted: readonly Scope[]): boolean {
  return wanted.every((scope) => {
    const [resource, actions] = takeApart(scope);
    const allowed = new Set(held.flatMap((other) => (takeApart(other)[0] === resource ? takeApart(other)[1] : [])));
    return actions.every((action) => allowed.has(action));
  });
}

function takeApart(scope: Scope): [resource: string, actions: readonly string[]] {
  const colon = scope.lastIndexOf(':');
  return [scope.slice(0, colon), scope.slice(colon + 1).split(',')];
}

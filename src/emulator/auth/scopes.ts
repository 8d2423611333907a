import type { GuardedRequest } from './options.ts';

/** One resource and what is asked to be done with it, as in `repository:NAME:pull,push`. */
export interface Scope {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Reads scopes separated by spaces. What cannot be read is left out, as token services do. */
export function parseScopes(text: string): Scope[] {
  return text.split(' ').flatMap((part) => {
    const first = part.indexOf(':');
    const last = part.lastIndexOf(':');
    if (first <= 0 || last === first) return [];
    const actions = part
      .slice(last + 1)
      .split(',')
      .filter((action) => action !== '');
    return [{ type: part.slice(0, first), name: part.slice(first + 1, last), actions }];
  });
}

/** The inverse of {@link parseScopes}. */
export function formatScopes(scopes: readonly Scope[]): string {
  return scopes.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ');
}

/** What a request needs, by the rules of CNCF distribution; nothing for `/v2/`. */
export function neededScopes(request: GuardedRequest, query: URLSearchParams): Scope[] {
  if (request.repository === '') return [];
  const scopes: Scope[] = [{ type: 'repository', name: request.repository, actions: actionsOf(request) }];
  const from = query.get('from');
  if (request.route === 'upload-start' && query.has('mount') && from) {
    scopes.push({ type: 'repository', name: from, actions: ['pull'] });
  }
  return scopes;
}

function actionsOf({ method }: GuardedRequest): readonly string[] {
  if (method === 'GET' || method === 'HEAD') return ['pull'];
  // To cancel an upload is a deletion to distribution, too.
  return method === 'DELETE' ? ['delete'] : ['pull', 'push'];
}

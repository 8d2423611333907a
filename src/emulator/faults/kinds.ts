import type { RouteName } from '../faults.ts';

/** What a request does. The names are those of the client's counts, with a few that only a server tells apart. */
export const KINDS = [
  'ping',
  'blob-head',
  'blob-read',
  'blob-delete',
  'upload-start',
  'upload-mount',
  'upload-single',
  'upload-chunk',
  'upload-commit',
  'upload-status',
  'upload-cancel',
  'manifest-head',
  'manifest-read',
  'manifest-write',
  'manifest-delete',
  'tag-list',
  'referrers',
  'token',
  'other',
] as const;

export type Kind = (typeof KINDS)[number];

/** Words for several kinds at once. */
export const GROUPS: Readonly<Record<string, readonly Kind[]>> = {
  '*': KINDS,
  upload: KINDS.filter((kind) => kind.startsWith('upload-')),
  blob: ['blob-head', 'blob-read', 'blob-delete'],
  manifest: ['manifest-head', 'manifest-read', 'manifest-write', 'manifest-delete'],
  read: ['blob-head', 'blob-read', 'manifest-head', 'manifest-read', 'tag-list', 'referrers'],
  delete: ['blob-delete', 'manifest-delete'],
};

/** Requests that carry bytes of an object or a manifest. */
export const WITH_BODY: readonly Kind[] = [
  'upload-single',
  'upload-chunk',
  'upload-commit',
  'manifest-write',
];

/** Requests whose answers carry them. */
export const WITH_ANSWER: readonly Kind[] = ['blob-read', 'manifest-read', 'tag-list', 'referrers'];

/** The kind of a request. */
export function kindOf(method: string, route: RouteName, query: URLSearchParams): Kind {
  switch (route) {
    case 'ping':
    case 'referrers':
    case 'token':
      return route;
    case 'tags':
      return 'tag-list';
    case 'blob':
      return pick(method, { GET: 'blob-read', HEAD: 'blob-head', DELETE: 'blob-delete' });
    case 'upload-start':
      if (query.has('mount')) return 'upload-mount';
      return query.has('digest') ? 'upload-single' : 'upload-start';
    case 'upload-session':
      return pick(method, {
        GET: 'upload-status',
        PATCH: 'upload-chunk',
        PUT: 'upload-commit',
        DELETE: 'upload-cancel',
      });
    case 'manifest':
      return pick(method, {
        GET: 'manifest-read',
        HEAD: 'manifest-head',
        PUT: 'manifest-write',
        DELETE: 'manifest-delete',
      });
    case 'unknown':
      return 'other';
  }
}

function pick(method: string, kinds: Readonly<Record<string, Kind>>): Kind {
  return kinds[method] ?? 'other';
}

import type { AnswerHead } from '../faults.ts';
import type { FaultDefinition, FaultHooks, FaultSetting, Moment } from './definition.ts';
import { KINDS, type Kind } from './kinds.ts';
import { listing } from './listing.ts';

const SESSION_KINDS: readonly Kind[] = ['upload-start', 'upload-chunk', 'upload-status'];

/** The answer with other headers; an empty value takes the header out. */
function withHeaders(head: AnswerHead, changes: Readonly<Record<string, string>>): AnswerHead {
  const headers = { ...head.headers };
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') delete headers[name];
    else headers[name] = value;
  }
  return { ...head, headers };
}

function editing({ values, refuse }: FaultSetting): FaultHooks {
  const set = values.starting('set-');
  const status = values.number('status');
  if (set.length === 0 && status === undefined) refuse('it needs status= or set-HEADER=');
  const changes = Object.fromEntries(set);
  return {
    answer(_, head) {
      if (head.status >= 400) return undefined;
      return { ...withHeaders(head, changes), status: status ?? head.status };
    },
  };
}

function ignoring({ values, refuse }: FaultSetting): FaultHooks {
  const header = values.text('header')?.toLowerCase();
  const key = values.text('query');
  if (header === undefined && key === undefined) refuse('it needs header= or query=');
  return {
    request({ exchange }) {
      const headers = { ...exchange.headers };
      if (header !== undefined) delete headers[header];
      const query = new URLSearchParams(exchange.query);
      if (key !== undefined) query.delete(key);
      return { headers, query };
    },
  };
}

const RANGES: Readonly<Record<string, (endByte: number, moment: Moment, first: number) => string>> = {
  // ECR's status of a session stays at its first chunk.
  stuck: (_end, _moment, first) => `0-${Math.max(0, first - 1)}`,
  // zot up to 2.1.16, and for streamed chunks also later.
  request: (_end, { declaredBytes }) => `0-${Math.max(0, (declaredBytes ?? 1) - 1)}`,
  // Artifactory.
  chunk: (end, { declaredBytes }) => `${Math.max(0, end + 1 - (declaredBytes ?? 0))}-${end}`,
  // Quay: one too many, and with the unit in front.
  exclusive: (end) => `bytes=0-${end + 1}`,
  // zot up to 2.1.16 and Cloudflare spell "empty" like this.
  negative: (end, { kind }) => (kind === 'upload-start' ? '0--1' : `0-${end}`),
  rubbish: () => 'bytes */*',
  missing: () => '',
};

function ranging({ values }: FaultSetting): FaultHooks {
  const style = RANGES[values.text('style') ?? 'missing'];
  const first = new Map<string, number>();
  return {
    answer(moment, head) {
      const { reference = '' } = moment.exchange;
      if (moment.kind === 'upload-chunk' && head.status < 300 && !first.has(reference)) {
        first.set(reference, moment.declaredBytes ?? 0);
      }
      const end = /-(\d+)$/.exec(head.headers.range ?? '')?.[1];
      if (end === undefined || !style) return undefined;
      const edited = withHeaders(head, { range: style(Number(end), moment, first.get(reference) ?? 0) });
      // Quay's status names no place to go on at.
      const bare = values.text('style') === 'exclusive' && moment.kind === 'upload-status';
      return bare ? withHeaders(edited, { location: '' }) : edited;
    },
  };
}

/** Where an upload goes on: forms that a client has to understand, and a state that has to come back as it was. */
function locating({ values }: FaultSetting): FaultHooks {
  const style = values.text('style') ?? 'absolute';
  const states = new Map<string, string>();
  let answers = 0;
  return {
    before({ exchange }) {
      const wanted = states.get(exchange.path);
      if (wanted === undefined || exchange.query.get('_state') === wanted) return undefined;
      const said = { code: 'BLOB_UPLOAD_INVALID', message: 'the state is not the newest one' };
      return { kind: 'respond', status: 404, body: JSON.stringify({ errors: [said] }) };
    },
    answer({ exchange, kind }, head) {
      const { location } = head.headers;
      if (location === undefined || head.status >= 400) return undefined;
      if (style === 'missing')
        return kind === 'upload-start' ? undefined : withHeaders(head, { location: '' });
      const host = exchange.headers.host ?? 'localhost';
      if (style === 'state') {
        // Characters that a client must hand back as they are.
        const state = `${++answers}/+==`;
        states.set(location, state);
        return withHeaders(head, { location: `${location}?_state=${encodeURIComponent(state)}` });
      }
      const other = style === 'host' ? otherName(host) : host;
      return withHeaders(head, { location: `http://${other}${location}` });
    },
  };
}

function redirecting({ values }: FaultSetting): FaultHooks {
  const status = values.number('status') ?? 307;
  let expired = values.number('expired') ?? 0;
  return {
    before({ exchange }) {
      const { query, headers, path } = exchange;
      if (query.has('signed')) {
        // Storage services refuse a request that is signed twice.
        if (headers.authorization !== undefined)
          return { kind: 'respond', status: 400, body: 'signed twice' };
        if (query.get('signed') !== 'expired') return undefined;
        return { kind: 'respond', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' };
      }
      const signed = expired-- > 0 ? 'expired' : 'yes';
      const location = `http://${otherName(headers.host ?? '')}${path}?signed=${signed}`;
      return { kind: 'respond', status, headers: { Location: location } };
    },
  };
}

/** The same machine under its other name. */
function otherName(host: string): string {
  return host.startsWith('localhost')
    ? host.replace('localhost', '127.0.0.1')
    : host.replace(/^[^:]+/, 'localhost');
}

export const ODDITIES: readonly FaultDefinition[] = [
  {
    name: 'answer',
    says: 'Answers without an error get another status or other headers.',
    example: 'answer@upload-chunk:status=201,set-x-note=odd',
    kinds: KINDS,
    params: {
      status: { type: 'status', says: 'the status' },
      'set-*': { type: 'text', says: 'a header by its name; an empty value takes it out' },
    },
    make: editing,
  },
  {
    name: 'ignore',
    says: 'A header or query parameter of the request is not seen.',
    example: 'ignore@blob-read:header=range',
    kinds: [],
    params: {
      header: { type: 'text', says: 'the header' },
      query: { type: 'text', says: 'the parameter' },
    },
    make: ignoring,
  },
  {
    name: 'range',
    says: 'The Range of upload sessions is spelled, or counted, as by some registry.',
    example: 'range:style=stuck',
    kinds: SESSION_KINDS,
    allowed: SESSION_KINDS,
    params: { style: { type: Object.keys(RANGES), says: 'which way', needed: true } },
    make: ranging,
  },
  {
    name: 'location',
    says: 'The Location of upload sessions in another form; with state, one that changes with each answer and has to come back.',
    example: 'location:style=state',
    kinds: [...SESSION_KINDS, 'upload-commit'],
    allowed: [...SESSION_KINDS, 'upload-commit'],
    params: { style: { type: ['absolute', 'host', 'state', 'missing'], says: 'which form', needed: true } },
    make: locating,
  },
  {
    name: 'redirect',
    says: 'The bytes come from a signed URL on another host name of this machine.',
    example: 'redirect@blob-read:status=302,expired=1',
    kinds: ['blob-read'],
    allowed: ['blob-read', 'blob-head'],
    params: {
      status: { type: 'status', says: 'default 307' },
      expired: { type: 'count', says: 'so many of the first signed URLs have run out' },
    },
    make: redirecting,
  },
  {
    name: 'wrong-range',
    says: 'A 206 says that it begins elsewhere than was asked for.',
    example: 'wrong-range@blob-read:by=1',
    kinds: ['blob-read'],
    allowed: ['blob-read'],
    params: { by: { type: 'count', says: 'so many bytes further; default 1' } },
    make: ({ values }) => ({
      answer(_, head) {
        const match = /^bytes (\d+)-(\d+)(\/.*)$/.exec(head.headers['content-range'] ?? '');
        if (!match) return undefined;
        const by = values.number('by') ?? 1;
        const range = `bytes ${Number(match[1]) + by}-${Number(match[2]) + by}${match[3]}`;
        return withHeaders(head, { 'content-range': range });
      },
    }),
  },
  {
    name: 'list',
    says: 'Tag lists in small pages, out of order, with odd links or odd contents.',
    example: 'list:page=50,link=bare,order=reverse',
    kinds: ['tag-list'],
    allowed: ['tag-list'],
    params: {
      page: { type: 'count', says: 'tags of a page at most' },
      link: {
        type: ['bare', 'absolute', 'loop', 'missing'],
        says: 'the Link without <>, with another host, back to the same page, or none',
      },
      order: { type: ['reverse'], says: 'each page backwards' },
      empty: { type: ['null'], says: 'no tags are null' },
      more: { type: ['digests'], says: 'digests stand among the tags' },
    },
    make: listing,
  },
];

import type { FaultAction, FaultControls } from '../faults.ts';
import type { FaultDefinition, FaultHooks, FaultSetting, Moment } from './definition.ts';
import { placeIn } from './values.ts';

/** Sessions that end before their time. */
function expiring({ values, refuse }: FaultSetting): FaultHooks {
  const most = values.number('after');
  const ageMs = values.number('age');
  const bytes = values.number('bytes');
  if (most === undefined && ageMs === undefined && bytes === undefined) {
    refuse('it needs after=, age= or bytes=');
  }
  const sessions = new Map<string, { requests: number; bytes: number; bornMs: number }>();
  let controls: FaultControls | undefined;
  return {
    start(given) {
      controls = given;
      return () => {};
    },
    watch(moment, status, headers) {
      const id = headers['docker-upload-uuid'];
      if (moment.kind !== 'upload-start' || status !== 202 || id === undefined) return;
      sessions.set(id, { requests: 0, bytes: 0, bornMs: moment.nowMs });
    },
    before({ exchange, declaredBytes, nowMs }) {
      const id = exchange.reference ?? '';
      const known = sessions.get(id);
      if (!known) return undefined;
      const over =
        known.requests >= (most ?? Number.POSITIVE_INFINITY) ||
        known.bytes >= (bytes ?? Number.POSITIVE_INFINITY) ||
        nowMs - known.bornMs >= (ageMs ?? Number.POSITIVE_INFINITY);
      known.requests++;
      known.bytes += declaredBytes ?? 0;
      return over ? { kind: 'hold', until: controls?.dropSession(id) ?? Promise.resolve() } : undefined;
    },
  };
}

/** The registry goes and comes back: at a time, or in the middle of a request. */
function restarting({ values, kinds, refuse }: FaultSetting): FaultHooks {
  const at = values.number('at');
  const every = values.number('interval');
  const downMs = values.number('down') ?? 0;
  if (at === undefined && kinds.length === 0) refuse('it needs at= or a kind of request to happen at');
  if (at !== undefined && kinds.length > 0) refuse('it happens at a time or at a request, not at both');
  if (every !== undefined && at === undefined) refuse('interval goes with at');
  const place = values.place('after');
  let controls: FaultControls | undefined;
  return {
    start(given) {
      controls = given;
      if (at === undefined) return () => {};
      const again = () => {
        given.restart(downMs);
        if (every !== undefined) timer = setTimeout(again, every).unref();
      };
      let timer = setTimeout(again, at).unref();
      return () => clearTimeout(timer);
    },
    before: ({ declaredBytes }): FaultAction => ({
      kind: 'reset',
      afterRequestBytes: place === undefined ? 0 : placeIn(place, declaredBytes),
      afterwards: () => controls?.restart(downMs),
    }),
  };
}

const NOT_YET = {
  manifest: { code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' },
  blob: { code: 'BLOB_UNKNOWN', message: 'blob unknown to registry' },
};

/** What was written is seen by readers a while later. */
function eventual({ values, refuse }: FaultSetting): FaultHooks {
  const forMs = values.number('for');
  const reads = values.number('reads');
  if ((forMs === undefined) === (reads === undefined)) refuse('it needs for= or reads=, and not both');
  const young = new Map<string, { writtenMs: number; reads: number }>();
  const keyOf = ({ repository, reference }: Moment['exchange']) => `${repository}/${reference}`;
  const isYoung = (key: string, nowMs: number) => {
    const entry = young.get(key);
    if (!entry) return false;
    const hidden = forMs === undefined ? entry.reads < (reads ?? 0) : nowMs - entry.writtenMs < forMs;
    entry.reads++;
    if (!hidden) young.delete(key);
    return hidden;
  };
  return {
    watch(moment, status, headers) {
      if (status !== 201) return;
      const { exchange, kind, nowMs } = moment;
      const digest = headers['docker-content-digest'];
      if (!['manifest-write', 'upload-commit', 'upload-single', 'upload-mount'].includes(kind)) return;
      const names = kind === 'manifest-write' ? [exchange.reference, digest] : [digest];
      for (const name of names) {
        young.set(`${exchange.repository}/${name}`, { writtenMs: nowMs, reads: 0 });
      }
    },
    before({ exchange, kind, nowMs }) {
      if (kind === 'tag-list' || !isYoung(keyOf(exchange), nowMs)) return undefined;
      const said = NOT_YET[kind.startsWith('manifest') ? 'manifest' : 'blob'];
      return {
        kind: 'respond',
        status: 404,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ errors: [said] }),
      };
    },
    answer({ exchange, kind, nowMs }, head) {
      if (kind !== 'tag-list' || !head.body || head.status !== 200) return undefined;
      const page = JSON.parse(Buffer.from(head.body).toString()) as { tags: string[] };
      const tags = page.tags.filter((tag) => !isYoung(`${exchange.repository}/${tag}`, nowMs));
      return { ...head, body: Buffer.from(JSON.stringify({ ...page, tags })) };
    },
  };
}

/** Garbage collection that runs between the upload of blobs and the manifest that names them. */
function collecting(): FaultHooks {
  const fresh = new Map<string, Set<string>>();
  let controls: FaultControls | undefined;
  return {
    start(given) {
      controls = given;
      return () => {};
    },
    watch({ exchange, kind }, status, headers) {
      const repository = exchange.repository ?? '';
      if (status !== 201) return;
      if (kind === 'manifest-write') {
        fresh.delete(repository);
        return;
      }
      const digest = headers['docker-content-digest'];
      if (!kind.startsWith('upload-') || digest === undefined) return;
      const known = fresh.get(repository) ?? new Set();
      fresh.set(repository, known.add(digest));
    },
    before({ exchange }) {
      const repository = exchange.repository ?? '';
      const gone = [...(fresh.get(repository) ?? [])];
      if (gone.length === 0) return undefined;
      fresh.delete(repository);
      const drops = gone.map((digest) => controls?.dropBlob(repository, digest));
      return { kind: 'hold', until: Promise.allSettled(drops) };
    },
  };
}

export const FORGETTING: readonly FaultDefinition[] = [
  {
    name: 'session-expiry',
    says: 'An upload session is gone after so many requests, so many bytes, or some time.',
    example: 'session-expiry:after=3,count=1',
    kinds: ['upload-chunk', 'upload-commit', 'upload-status'],
    allowed: ['upload-chunk', 'upload-commit', 'upload-status', 'upload-cancel'],
    params: {
      after: { type: 'count', says: 'requests of the session that are still answered' },
      bytes: { type: 'size', says: 'bytes that were sent to it' },
      age: { type: 'time', says: 'time since it was opened' },
    },
    picks: true,
    make: expiring,
  },
  {
    name: 'restart',
    says: 'Connections break, sessions are forgotten, and the port is closed for a time.',
    example: 'restart:at=30s,down=5s',
    kinds: [],
    params: {
      at: {
        type: 'time',
        says: 'the time after the plan came into force; without it, at the requests named',
      },
      after: { type: 'place', says: 'at a request: after so much of its body' },
      down: { type: 'time', says: 'how long the port is closed; default 0s: not at all' },
      interval: { type: 'time', says: 'with at: again and again after this time' },
    },
    make: restarting,
  },
  {
    name: 'eventual',
    says: 'What was written is not there for readers for a time, or for a number of reads; lists leave it out.',
    example: 'eventual@manifest-read:for=2s',
    kinds: ['manifest-read', 'manifest-head'],
    allowed: ['manifest-read', 'manifest-head', 'blob-read', 'blob-head', 'tag-list'],
    params: {
      for: { type: 'time', says: 'for this long after the write' },
      reads: { type: 'count', says: 'for so many reads of each thing that was written' },
    },
    picks: true,
    make: eventual,
  },
  {
    name: 'gc',
    says: 'Blobs that no manifest names yet are collected just before the manifest comes.',
    example: 'gc@manifest-write:nth=1',
    kinds: ['manifest-write'],
    allowed: ['manifest-write', 'manifest-read', 'blob-head'],
    params: {},
    picks: true,
    make: collecting,
  },
];

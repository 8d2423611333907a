import type { FaultAction } from '../faults.ts';
import type { FaultDefinition, FaultHooks, FaultSetting, Moment } from './definition.ts';
import { GROUPS, KINDS, WITH_BODY } from './kinds.ts';
import { WORDING, wordedRefusal } from './refusing.ts';

/** A token bucket: the cap of rate-limited registries. */
function capping(setting: FaultSetting): FaultHooks {
  const perSecond = setting.values.number('rate') ?? 1;
  const burst = setting.values.number('burst') ?? Math.max(1, Math.ceil(perSecond));
  const status = setting.values.number('status') ?? 429;
  let tokens = burst;
  let filledMs = setting.nowMs();
  return {
    before(moment) {
      tokens = Math.min(burst, tokens + ((moment.nowMs - filledMs) / 1000) * perSecond);
      filledMs = moment.nowMs;
      if (tokens < 1) return { kind: 'respond', ...wordedRefusal(setting, moment, { status }) };
      tokens--;
      return undefined;
    },
  };
}

/** Bodies longer than a proxy or a registry takes. */
function bodyLimit(setting: FaultSetting): FaultHooks {
  const { values } = setting;
  const most = values.number('max') ?? 0;
  const how = values.text('as') ?? 'proxy';
  return {
    before(moment): FaultAction | undefined {
      if ((moment.declaredBytes ?? 0) <= most) return undefined;
      if (how === 'reset') return { kind: 'reset' };
      if (how === 'ghcr') {
        const message = `the request exceeds the maximum permissible limit of ${(most / 1024 ** 2).toFixed(2)}MiB`;
        const defaults = { status: 416, code: 'REQUESTED_RANGE_NOT_SATISFIABLE', message };
        return { kind: 'respond', ...wordedRefusal(setting, moment, defaults) };
      }
      const early = how === 'proxy';
      const refused = wordedRefusal(setting, moment, { status: 413, spelling: early ? 'nginx' : 'oci' });
      return { kind: 'respond', ...refused, drain: !early };
    },
  };
}

interface Chunks {
  readonly firstBytes: number;
  lastBytes: number;
}

/** Bounds on chunks, announced where there are headers for them, and enforced (Cloudflare, ECR). */
function chunkRules(setting: FaultSetting): FaultHooks {
  const { values, refuse } = setting;
  const least = values.number('min') ?? 0;
  const most = values.number('max') ?? Number.POSITIVE_INFINITY;
  if (least > most) refuse('min is larger than max');
  const sessions = new Map<string, Chunks>();
  const refused = (moment: Moment, message: string): FaultAction => ({
    kind: 'respond',
    ...wordedRefusal(setting, moment, { status: 416, message }),
  });
  return {
    answer(moment, { status, headers }) {
      if (moment.kind !== 'upload-start' || status !== 202 || values.has('quiet')) return undefined;
      return {
        status,
        headers: {
          ...headers,
          ...(least > 0 && { 'oci-chunk-min-length': String(least) }),
          ...(most < Number.POSITIVE_INFINITY && { 'oci-chunk-max-length': String(most) }),
        },
      };
    },
    before(moment) {
      if (moment.kind !== 'upload-chunk') return undefined;
      const id = moment.exchange.reference ?? '';
      const bytes = moment.declaredBytes ?? 0;
      const earlier = sessions.get(id);
      if (bytes > most) return refused(moment, `a chunk may have ${most} bytes`);
      if (values.has('equal') && bytes === 1) return refused(moment, 'a chunk of one byte cannot be taken');
      // Whether a chunk was too short shows when another one follows: the last one may be.
      if (earlier && earlier.lastBytes < least) return refused(moment, `a chunk has ${least} bytes at least`);
      if (earlier && values.has('equal') && earlier.lastBytes !== earlier.firstBytes) {
        return refused(moment, 'all chunks but the last have the same length');
      }
      if (earlier) earlier.lastBytes = bytes;
      else sessions.set(id, { firstBytes: bytes, lastBytes: bytes });
      return undefined;
    },
  };
}

const QUOTA_WORDS: Readonly<Record<string, { status: number; code: string; message: string }>> = {
  harbor: {
    status: 403,
    code: 'DENIED',
    message:
      'adding 24.0 MiB of storage resource, which when updated to current usage of 40.0 MiB will exceed the configured upper limit of 50.0 MiB.',
  },
  quay: { status: 403, code: 'DENIED', message: 'Quota has been exceeded on namespace' },
  ecr: { status: 403, code: 'DENIED', message: 'Not Authorized' },
  zot: { status: 429, code: 'TOOMANYREQUESTS', message: 'maximum number of repositories reached' },
};

/** Refuses uploads once so many bytes have been taken. What is deleted is not given back. */
function fillingUp(limitBytes: number, full: (moment: Moment) => FaultAction): FaultHooks {
  let taken = 0;
  return {
    before: (moment) => (taken + (moment.declaredBytes ?? 0) > limitBytes ? full(moment) : undefined),
    watch(moment, status) {
      if (WITH_BODY.includes(moment.kind) && status < 300) taken += moment.declaredBytes ?? 0;
    },
  };
}

export const LIMITING: readonly FaultDefinition[] = [
  {
    name: 'cap',
    says: 'A token bucket; requests that find it empty are refused with 429.',
    example: 'cap@manifest-write:rate=10/s,burst=10,spelling=ghcr',
    kinds: KINDS,
    params: {
      rate: { type: 'rate', says: 'what the bucket gains', needed: true },
      burst: { type: 'count', says: 'what it holds; default the gain of a second' },
      status: { type: 'status', says: 'default 429' },
      ...WORDING,
    },
    picks: true,
    make: capping,
  },
  {
    name: 'limit',
    says: 'Longer bodies are refused: 413 before they are read (proxy) or after (registry), 416 (ghcr), or a reset.',
    example: 'limit@upload:max=4MiB,as=ghcr',
    kinds: GROUPS.upload ?? [],
    allowed: WITH_BODY,
    params: {
      max: { type: 'size', says: 'the longest body', needed: true },
      as: { type: ['proxy', 'registry', 'ghcr', 'reset'], says: 'default proxy' },
      ...WORDING,
    },
    picks: true,
    make: bodyLimit,
  },
  {
    name: 'chunks',
    says: 'Rules for chunks, announced in OCI-Chunk-Min-Length and OCI-Chunk-Max-Length: others are refused with 416.',
    example: 'chunks:min=5MiB,max=100MB,equal',
    kinds: ['upload-start', 'upload-chunk'],
    allowed: ['upload-start', 'upload-chunk'],
    params: {
      min: { type: 'size', says: 'the shortest chunk but the last' },
      max: { type: 'size', says: 'the longest chunk' },
      equal: { type: 'flag', says: 'all but the last are of one length, and none of one byte' },
      quiet: { type: 'flag', says: 'not announced' },
      ...WORDING,
    },
    picks: true,
    make: chunkRules,
  },
  {
    name: 'quota',
    says: 'Uploads above a sum of bytes are refused for good, in the words of a registry.',
    example: 'quota:bytes=50MiB,spelling=harbor',
    kinds: WITH_BODY,
    allowed: WITH_BODY,
    params: {
      bytes: { type: 'size', says: 'the sum', needed: true },
      spelling: { type: Object.keys(QUOTA_WORDS), says: 'default harbor' },
    },
    picks: true,
    make(setting) {
      const words = QUOTA_WORDS[setting.values.text('spelling') ?? 'harbor'];
      const { status = 403, ...said } = words ?? {};
      return fillingUp(setting.values.number('bytes') ?? 0, (moment) => ({
        kind: 'respond',
        status,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ errors: [{ ...said, detail: { kind: moment.kind } }] }),
      }));
    },
  },
  {
    name: 'disk-full',
    says: 'Uploads above a sum of bytes fail with a server error that says so.',
    example: 'disk-full:after=100MiB,count=3',
    kinds: WITH_BODY,
    allowed: WITH_BODY,
    params: {
      after: { type: 'size', says: 'the sum', needed: true },
      status: { type: 'status', says: 'default 500; some answer 507' },
      ...WORDING,
    },
    picks: true,
    make(setting) {
      const status = setting.values.number('status') ?? 500;
      const message = 'write /var/lib/registry/_uploads/data: no space left on device';
      return fillingUp(setting.values.number('after') ?? 0, (moment) => ({
        kind: 'respond',
        ...wordedRefusal(setting, moment, { status, message }),
      }));
    },
  },
  {
    name: 'connections',
    says: 'Connections above a number are closed as soon as they are made.',
    example: 'connections:max=4',
    kinds: [],
    allowed: 'none',
    params: { max: { type: 'count', says: 'the number', needed: true } },
    make: ({ values }) => ({
      start(controls) {
        controls.limitConnections(values.number('max'));
        return () => controls.limitConnections(undefined);
      },
    }),
  },
];

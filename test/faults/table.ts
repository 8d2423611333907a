/**
 * The fault table: what goes wrong, at which operation, and what has to come of it. Each line stands for as many rows as
 * it has faults times operations. Everywhere holds: data is equal, no upload session stays open, every fault strikes.
 */
import { DEFAULT_RETRY_POLICY } from '../../src/flow/retry.ts';
import { FAST_RETRY } from '../engine/rig.ts';
import type { OperationName } from './operations.ts';
import type { Rows } from './row.ts';

const PUSHES: readonly OperationName[] = [
  'push small',
  'push file',
  'push file whole',
  'push file in chunks',
  'push stream',
];
const HUGE: readonly OperationName[] = ['push 24 MiB whole', 'push 24 MiB in chunks', 'push 24 MiB stream'];
const READS: readonly OperationName[] = ['get whole', 'get range'];
const OTHERS: readonly OperationName[] = ['list', 'stat', 'verify', 'delete', 'create', 'lock', 'copy'];
const ALL: readonly OperationName[] = [...PUSHES, ...READS, ...OTHERS];
/** For faults that last: enough attempts to outlive them. */
const PATIENT = { ...FAST_RETRY, maxAttempts: 30 } as const;
const STALL = { http: { stallTimeoutMs: 300 } } as const;

/** What goes by itself: a next attempt finds it gone. */
const TRANSIENT: readonly Rows[] = [
  { faults: ['503:nth=1', 'reset:nth=1', '429:nth=1,spelling=ghcr'], does: ALL, again: 0.2 },
  { faults: ['stall:nth=1'], does: ['stat', 'list', 'lock', 'get whole'], options: STALL },
  {
    faults: ['500:every=3', 'reset:every=5'],
    does: ['push small', 'create', 'copy'],
    extra: 16,
    again: 2,
  },
  {
    faults: ['storm:from=0s,for=5ms,status=503'],
    does: ['stat', 'push small'],
    extra: 30,
    options: { retry: PATIENT },
  },
  {
    faults: ['502@upload-start:nth=1,spelling=nginx', '504@upload-start:nth=1,spelling=empty'],
    does: ['push small'],
  },
  { faults: ['408@manifest-write:nth=1', '500@manifest-write:nth=1,handled'], does: ['push small'] },
];

/** 429 in the words of each registry, with and without a Retry-After. */
const THROTTLED: readonly Rows[] = [
  {
    faults: [
      '429@manifest-write:nth=1,spelling=ecr',
      '429@manifest-write:nth=1,spelling=dockerhub',
      '429@manifest-write:nth=1,spelling=dockerhub-abuse',
      '429@manifest-write:nth=1,spelling=ghcr',
      '403@manifest-write:nth=1,spelling=ghcr-secondary',
      '429@manifest-write:nth=1,spelling=acr',
      '429@manifest-write:nth=1,spelling=mcr',
      '429@manifest-write:nth=1,spelling=quay',
      '429@manifest-write:nth=1,spelling=harbor',
      '429@manifest-write:nth=1,spelling=zot',
      '429@manifest-write:nth=1,spelling=pulp',
      '429@manifest-write:nth=1,spelling=empty',
    ],
    does: ['push small'],
    extra: 1,
  },
  {
    faults: ['429@manifest-write:nth=1,retry-after=3', '429@manifest-write:nth=1,retry-after=date+5s'],
    does: ['push small'],
    extra: 1,
    waitsMs: [3000, 10_000],
  },
  {
    faults: [
      '429@manifest-write:nth=1,retry-after=0',
      '429@manifest-write:nth=1,retry-after=date-60s',
      '429@manifest-write:nth=1,retry-after=soon',
      '429@manifest-write:nth=1,retry-after=-1',
      '429@manifest-write:nth=1,retry-after=absent',
    ],
    does: ['push small'],
    extra: 1,
    waitsMs: [0, 2000],
  },
  {
    faults: ['503@blob-read:nth=1,retry-after=2', '429@blob-read:nth=1,spelling=dockerhub,retry-after=2'],
    does: READS,
    extra: 1,
    waitsMs: [2000, 5000],
  },
  { faults: ['429@tag-list:nth=1,spelling=quay'], does: ['list'], extra: 1 },
  { faults: ['429@manifest-delete:nth=1,spelling=acr'], does: ['delete'], extra: 1 },
  { faults: ['429@upload-commit:nth=1,spelling=harbor'], does: ['push file whole'], extra: 4, again: 1 },
  { faults: ['429@upload-chunk:nth=3'], does: ['push file in chunks', 'push stream'], again: 0.2 },
  { faults: ['cap@manifest-write:rate=1/s,burst=1,retry-after=1'], does: ['copy'], extra: 2 },
  {
    faults: ['cap@upload-start+upload-chunk+upload-commit:rate=2/s,burst=1,retry-after=1'],
    does: ['push small', 'push file in chunks'],
    extra: 16,
    again: 1.1,
  },
];

/** What stays: an error that says so, after a bounded number of attempts. */
const PERMANENT: readonly Rows[] = [
  {
    faults: ['429:spelling=zot'],
    does: ['push small', 'stat', 'list'],
    ends: 'RATE_LIMITED',
    says: /attempts/,
    extra: 9,
  },
  {
    faults: ['503'],
    does: ['push small', 'get range', 'delete', 'create'],
    ends: 'REGISTRY_FAILED',
    says: /attempts/,
    extra: 9,
  },
  {
    faults: ['503@upload-chunk'],
    does: ['push file in chunks'],
    ends: 'REGISTRY_FAILED',
    extra: 30,
    again: 4,
  },
  { faults: ['reset'], does: ['stat', 'list'], ends: 'CONNECTION_LOST', extra: 12 },
  {
    faults: ['reset@upload-commit:at=50%'],
    does: ['push small'],
    ends: 'CONNECTION_LOST',
    extra: 40,
    again: 12,
  },
  {
    faults: ['stall@blob-read'],
    does: ['get range'],
    ends: 'STALLED',
    extra: 90,
    again: 0,
    options: STALL,
  },
  { faults: ['401@*'], does: ['push small', 'stat', 'list', 'delete'], ends: 'AUTH_REQUIRED', extra: 0 },
  { faults: ['401@upload-chunk:nth=2'], does: ['push file in chunks'], ends: 'AUTH_REQUIRED', extra: 1 },
  {
    faults: ['403@upload-start', '403@manifest-write'],
    does: ['push small'],
    ends: 'ACCESS_DENIED',
    extra: 1,
  },
  {
    faults: ['404@upload-start:code=NAME_UNKNOWN'],
    does: ['push small'],
    ends: 'REPOSITORY_UNKNOWN',
    says: /created first/,
    extra: 1,
  },
  {
    faults: ['429@manifest-write:retry-after=99999999'],
    does: ['push small'],
    ends: 'RATE_LIMITED',
    extra: 0,
    waitsMs: [0, 1000],
  },
  {
    faults: ['quota:bytes=2MiB,spelling=harbor', 'quota:bytes=2MiB,spelling=quay'],
    does: ['push file whole', 'push file in chunks'],
    ends: 'QUOTA_EXCEEDED',
    says: /quota/i,
    extra: 1,
  },
  {
    // It speaks of rights; the remedy names the quota all the same.
    faults: ['quota:bytes=2MiB,spelling=ecr'],
    does: ['push file whole', 'push file in chunks'],
    ends: 'ACCESS_DENIED',
    says: /quota/i,
    extra: 1,
  },
  {
    faults: ['quota:bytes=1KiB,spelling=zot'],
    does: ['push small'],
    ends: 'QUOTA_EXCEEDED',
    says: /maximum number/,
    extra: 2,
    again: 1,
  },
  {
    faults: ['disk-full:after=2MiB', 'disk-full:after=2MiB,status=507'],
    does: ['push file whole'],
    ends: 'REGISTRY_FAILED',
    says: /no space left/,
    extra: 20,
    again: 5,
  },
  {
    faults: ['disk-full:after=2MiB,count=1'],
    does: ['push file whole', 'push file in chunks'],
    extra: 6,
    again: 1.2,
  },
];

/** Connections that break, stall, or lose answers in the middle of an upload. */
const BROKEN_UPLOADS: readonly Rows[] = [
  {
    faults: [
      'reset@upload-chunk:at=40%,nth=2',
      'reset@upload-chunk:at=40%,nth=6',
      'reset@upload-chunk:at=512KiB,nth=3',
      'reset@upload-chunk:nth=4',
      'lost@upload-chunk:nth=2',
      '502@upload-chunk:nth=3,handled,spelling=nginx',
      '500@upload-chunk:nth=5',
    ],
    does: ['push file in chunks', 'push stream'],
    extra: 3,
    again: 0.2,
  },
  {
    faults: ['reset@upload-chunk:at=40%,nth=1'],
    does: ['push file in chunks', 'push stream'],
    extra: 4,
    again: 0.2,
  },
  {
    faults: ['stall@upload-chunk:at=40%,nth=2'],
    does: ['push file in chunks', 'push stream'],
    extra: 3,
    again: 0.2,
    options: STALL,
  },
  {
    faults: ['lost@upload-chunk:nth=2,silent'],
    does: ['push file in chunks', 'push stream'],
    extra: 3,
    again: 0.2,
    options: STALL,
  },
  {
    faults: [
      'reset@upload-chunk:at=60%,nth=2,session=gone',
      ['reset@upload-chunk:at=40%,nth=2', '404@upload-status:nth=1'],
      ['500@upload-chunk:nth=2,session=gone'],
    ],
    does: ['push file in chunks'],
    extra: 6,
    again: 0.4,
  },
  { faults: ['reset@upload-chunk:at=60%,every=3'], does: ['push file in chunks'], extra: 9, again: 0.6 },
  {
    faults: ['reset@upload-commit:at=40%,nth=1', 'reset@upload-commit:nth=1'],
    does: ['push file', 'push file whole'],
    extra: 12,
    again: 1,
  },
  {
    faults: ['stall@upload-commit:at=40%,nth=1'],
    does: ['push file whole'],
    extra: 4,
    again: 1,
    options: STALL,
  },
  {
    faults: [
      'lost@upload-commit:nth=1',
      '500@upload-commit:nth=1,handled',
      '502@upload-commit:nth=1,handled,spelling=nginx',
      '504@upload-commit:nth=1,handled,spelling=empty',
    ],
    does: ['push small', 'push file', 'push file whole', 'push file in chunks', 'push stream'],
    extra: 2,
  },
  {
    faults: ['lost@upload-commit:nth=1,silent'],
    does: ['push small', 'push file whole'],
    extra: 2,
    options: STALL,
  },
  { faults: ['lost@upload-start:nth=1'], does: ['push small'], extra: 1, orphans: 1 },
  { faults: ['lost@manifest-write:nth=1'], does: ['push small', 'create', 'lock', 'copy'], extra: 1 },
  { faults: ['lost@manifest-delete:nth=1', '502@manifest-delete:nth=1,handled'], does: ['delete'], extra: 1 },
  { faults: ['lost@manifest-delete:nth=1,silent'], does: ['delete'], extra: 1, options: STALL },
  {
    faults: ['drip@upload-chunk:rate=64MiB/s', 'drip@upload-commit:rate=64MiB/s'],
    does: ['push file in chunks'],
    extra: 0,
  },
  { faults: ['delay:by=10ms'], does: ['push small', 'list', 'create'], extra: 0 },
];

/** Sessions that are forgotten, registries that start anew. */
const FORGOTTEN: readonly Rows[] = [
  {
    faults: ['session-expiry:after=3,count=1', 'session-expiry:bytes=2MiB,count=1'],
    does: ['push file in chunks'],
    extra: 8,
    again: 0.6,
  },
  {
    faults: ['session-expiry:after=2'],
    does: ['push file in chunks'],
    ends: 'UPLOAD_SESSION_LOST',
    extra: 60,
    again: 6,
  },
  {
    faults: ['404@upload-commit:nth=1,session=gone'],
    does: ['push file whole', 'push file in chunks'],
    extra: 10,
    again: 1,
  },
  {
    faults: ['restart@upload-chunk:nth=3', 'restart@upload-chunk:after=50%,nth=2'],
    does: ['push file in chunks'],
    extra: 6,
    again: 0.6,
  },
  {
    faults: ['restart@upload-commit:nth=1', 'restart@upload-commit:after=50%,nth=1'],
    does: ['push file whole'],
    extra: 4,
    again: 1,
  },
  { faults: ['restart@blob-read:nth=1'], does: ['get whole', 'get range'], extra: 1 },
  { faults: ['restart@manifest-write:nth=1'], does: ['push small', 'create', 'lock'], extra: 1 },
  // Two replicas without a common secret: each other request does not know the session.
  {
    faults: ['404@upload-chunk:every=2,code=BLOB_UPLOAD_INVALID'],
    does: ['push file in chunks'],
    ends: 'OBJECT_MISSING',
    extra: 60,
    again: 6,
  },
  { faults: ['gc@manifest-write:nth=1'], does: ['push small', 'copy'], extra: 8, again: 1.1 },
  {
    faults: ['eventual@manifest-read:reads=2', 'eventual@manifest-read+tag-list:for=3ms'],
    does: ['create'],
    extra: 6,
  },
];

/** The registry is away for a while: found closed, it is waited for. */
const AWAY: readonly Rows[] = [
  {
    faults: ['restart@manifest-write:nth=1,down=100ms', 'restart@upload-commit:nth=1,down=100ms'],
    does: ['push small'],
    extra: 40,
    again: 2,
    realTime: true,
    options: { retry: DEFAULT_RETRY_POLICY },
  },
];

/** Limits on bodies and chunks. */
const LIMITS: readonly Rows[] = [
  {
    faults: ['limit@upload:max=2MiB', 'limit@upload:max=2MiB,as=registry', 'limit@upload:max=2MiB,as=reset'],
    does: ['push file'],
    extra: 20,
    again: 3,
  },
  {
    faults: ['limit@upload-commit:max=2MiB'],
    does: ['push file whole'],
    ends: 'BODY_TOO_LARGE',
    says: /chunk/,
    extra: 1,
    again: 1,
  },
  {
    faults: ['limit@upload-chunk:max=512KiB,as=ghcr', 'limit@upload-chunk:max=512KiB'],
    does: ['push file in chunks'],
    extra: 12,
    again: 0.5,
  },
  {
    faults: ['delay@upload-start:by=1ms'],
    never: ['chunks:min=1536KiB,max=100MB,equal'],
    does: ['push file in chunks', 'push stream'],
    extra: 0,
  },
  {
    faults: ['delay@upload-start:by=1ms'],
    never: ['chunks:max=512KiB,equal'],
    does: ['push file in chunks'],
    extra: 6,
  },
  {
    faults: [['limit@upload-chunk:max=600KiB']],
    never: ['chunks:min=768KiB'],
    does: ['push file in chunks'],
    ends: 'BODY_TOO_LARGE',
    extra: 4,
    again: 0.5,
  },
  {
    faults: ['connections:max=2'],
    does: ['push small', 'push file in chunks'],
    extra: 20,
    realTime: true,
    options: { retry: PATIENT },
  },
];

/** Answers that are odd and mean well. */
const ODD: readonly Rows[] = [
  {
    faults: [
      'answer@upload-chunk:status=200',
      'answer@upload-chunk:status=201',
      'answer@upload-chunk:status=204',
    ],
    does: ['push file in chunks'],
    extra: 0,
  },
  {
    faults: [
      'range:style=stuck',
      'range:style=request',
      'range:style=chunk',
      'range:style=exclusive',
      'range:style=negative',
      'range:style=rubbish',
      'range:style=missing',
    ],
    does: ['push file in chunks'],
    extra: 0,
  },
  {
    faults: [
      ['range:style=stuck', 'reset@upload-chunk:at=40%,nth=3'],
      ['range:style=chunk', 'lost@upload-chunk:nth=3'],
      ['range:style=exclusive', 'reset@upload-chunk:at=40%,nth=2'],
      ['range:style=missing', 'reset@upload-chunk:at=40%,nth=2'],
    ],
    does: ['push file in chunks'],
    extra: 12,
    again: 1,
  },
  {
    faults: [
      'location:style=absolute',
      'location:style=host',
      'location:style=state',
      'location:style=missing',
    ],
    does: ['push small', 'push file in chunks'],
    extra: 0,
  },
  {
    faults: ['answer:set-set-cookie=sid=1'],
    never: ['400:has=cookie'],
    does: ['push file in chunks', 'get whole'],
    extra: 0,
  },
  {
    faults: ['answer@manifest-write:set-location=', 'answer@manifest-write:set-docker-content-digest='],
    does: ['push small', 'create'],
    extra: 0,
  },
  {
    faults: ['delay@upload-start:by=1ms'],
    never: ['411@upload:body=chunked', '415@upload:has=transfer-encoding'],
    does: PUSHES,
    extra: 0,
  },
  {
    faults: [
      '416@upload-chunk:nth=2,spelling=artifactory',
      '416@upload-chunk:nth=2,spelling=empty',
      '416@upload-chunk:nth=3,spelling=nginx',
    ],
    does: ['push file in chunks', 'push stream'],
    extra: 3,
    again: 0.2,
  },
  { faults: ['416@upload-chunk:every=2,spelling=empty'], does: ['push file in chunks'], extra: 14, again: 1 },
  {
    faults: ['405@upload-chunk:part=later'],
    does: ['push file in chunks'],
    ends: 'REGISTRY_FAILED',
    extra: 8,
    again: 1,
  },
  { faults: ['500@upload-commit:body=empty'], does: ['push file in chunks'], extra: 10, again: 1 },
  {
    faults: [
      '415@upload-single',
      '400@upload-single',
      '404@upload-single',
      'ignore@upload-single:query=digest',
    ],
    does: ['push in one request'],
    extra: 5,
    again: 1,
  },
  {
    faults: [
      '405@manifest-write:nth=1,message="Invalid JSON"',
      '400@manifest-write:nth=1,code=MANIFEST_INVALID',
    ],
    does: ['push small', 'create', 'lock'],
    extra: 1,
  },
  { faults: ['duplicate@upload-start:nth=1'], does: ['push small'], extra: 0, orphans: 1 },
  {
    faults: ['duplicate@upload-commit:nth=1'],
    does: ['push small', 'push file whole', 'push file in chunks'],
    extra: 1,
  },
  {
    faults: [
      'duplicate@upload-chunk:nth=2',
      ['duplicate@upload-chunk:nth=2', 'ignore@upload-chunk:header=content-range'],
    ],
    does: ['push file in chunks'],
    extra: 12,
    again: 1.2,
  },
  { faults: ['duplicate@manifest-write:nth=1'], does: ['push small', 'create', 'copy'], extra: 0 },
  { faults: ['duplicate@manifest-delete:nth=1'], does: ['delete'], extra: 0 },
  {
    faults: ['echo:nth=1'],
    does: ['push small', 'push file in chunks', 'stat', 'list', 'delete'],
    extra: 8,
    again: 0.4,
  },
  {
    faults: ['echo:every=2'],
    does: ['push small', 'push file in chunks', 'create', 'copy'],
    extra: 8,
    again: 0.4,
  },
  { faults: ['corrupt@upload-chunk:nth=2'], does: ['push file in chunks'], extra: 10, again: 1 },
  { faults: ['corrupt@upload-commit:nth=1'], does: ['push small', 'push file whole'], extra: 4, again: 1 },
  { faults: ['corrupt@upload-commit'], does: ['push file whole'], ends: 'BLOB_CORRUPT', extra: 24, again: 6 },
];

/** Reads. */
const READING: readonly Rows[] = [
  {
    faults: [
      'corrupt@blob-read:nth=1',
      'corrupt@blob-read:at=0,nth=1',
      'corrupt@blob-read:at=100%,nth=1',
      'truncate@blob-read:at=40%,nth=1',
    ],
    does: ['get small', 'verify deep'],
    extra: 1,
  },
  {
    faults: ['corrupt@blob-read'],
    does: ['get small', 'verify deep'],
    ends: 'BLOB_CORRUPT',
    says: /127\.0\.0\.1:\d+\/kloset\/store.*sha256:.*sha256:/,
    extra: 1,
  },
  {
    faults: [
      'reset@blob-read:at=40%,nth=1',
      'reset@blob-read:at=64KiB,nth=1',
      'reset@blob-read:at=0,nth=1',
      'reset@blob-read:at=30%,nth=1..5',
      '500@blob-read:nth=1',
      'lost@blob-read:nth=1',
    ],
    does: READS,
    extra: 5,
  },
  {
    faults: ['stall@blob-read:after=64KiB,nth=1', 'stall@blob-read:at=0,nth=1'],
    does: READS,
    extra: 1,
    options: STALL,
  },
  { faults: ['drip@blob-read:rate=256MiB/s', 'delay@blob-read:by=20ms'], does: READS, extra: 0 },
  // The part that is left has to be asked for, not all again.
  {
    faults: ['reset@blob-read:at=75%,nth=1'],
    never: ['400@blob-read:nth=2,part=first'],
    does: READS,
    extra: 1,
  },
  { faults: ['truncate@blob-read:at=40%,nth=1'], does: ['get range'], extra: 1 },
  { faults: ['truncate@blob-read:at=40%,nth=1'], does: ['get whole'], ends: 'SIZE_MISMATCH', extra: 1 },
  { faults: ['ignore@blob-read:header=range'], does: ['get range'], extra: 0 },
  { faults: [['reset@blob-read:at=40%,nth=1', 'ignore@blob-read:header=range']], does: READS, extra: 1 },
  { faults: ['wrong-range@blob-read'], does: ['get range'], ends: 'RANGE_INVALID', extra: 4 },
  {
    faults: [
      'redirect@blob-read',
      'redirect@blob-read:status=302',
      'redirect@blob-read:status=302,expired=1',
    ],
    never: ['400:has=authorization'],
    does: READS,
    extra: 3,
  },
  {
    faults: ['answer@blob-read:set-content-encoding=gzip'],
    does: READS,
    ends: 'REGISTRY_FOREIGN',
    says: /gzip/,
    extra: 1,
  },
  {
    faults: ['404@blob-read:code=BLOB_UNKNOWN', '404@blob-read:spelling=empty'],
    does: READS,
    ends: 'BLOB_MISSING',
    extra: 1,
  },
  {
    faults: ['404@blob-head:code=BLOB_UNKNOWN'],
    does: ['verify'],
    ends: 'BLOB_MISSING',
    says: /sha256:/,
    extra: 1,
  },
  {
    faults: ['corrupt@blob-read'],
    does: ['get whole'],
    ends: 'BLOB_CORRUPT',
    says: /127\.0\.0\.1:\d+\/kloset\/store.*sha256:.*sha256:/,
    extra: 1,
  },
  {
    faults: ['reset@manifest-read:at=50%,nth=1', 'stall@manifest-read:at=10,nth=1'],
    does: ['stat', 'get range'],
    options: STALL,
  },
  // A later generation may be there: a walk over the tags tells.
  { faults: ['404@manifest-read'], does: ['stat', 'get range'], ends: 'OBJECT_MISSING', extra: 1 },
  {
    faults: ['truncate@manifest-read:nth=1', 'corrupt@manifest-read:at=0,nth=1'],
    does: ['stat'],
    ends: 'MANIFEST_INVALID',
    extra: 1,
  },
];

/** Lists. */
const LISTS: readonly Rows[] = [
  {
    faults: [
      'list:page=50',
      'list:page=50,link=bare',
      'list:page=50,link=absolute',
      'list:page=50,order=reverse',
      'list:page=7,order=reverse,more=digests',
    ],
    does: ['list'],
    extra: 20,
  },
  { faults: ['list:page=50,link=loop'], does: ['list'], extra: 8 },
  { faults: ['answer@tag-list:set-content-type=text/plain'], does: ['list'], extra: 0 },
  { faults: [['list:page=50', '404@tag-list:part=later,nth=1']], does: ['list'], extra: 5 },
  { faults: [['list:page=50', 'reset@tag-list:nth=2,at=50%']], does: ['list'], extra: 5 },
  { faults: ['list:empty=null', '404@tag-list:code=NAME_UNKNOWN'], does: ['list nothing'], extra: 0 },
  { faults: ['truncate@tag-list:nth=1'], does: ['list'], ends: 'REGISTRY_FOREIGN', extra: 1 },
];

/** Deletion. */
const DELETIONS: readonly Rows[] = [
  {
    faults: ['405@manifest-delete:by=tag', '400@manifest-delete:by=tag,code=UNSUPPORTED'],
    does: ['delete'],
    extra: 4,
  },
  { faults: ['404@manifest-delete:nth=1,handled'], does: ['delete'], extra: 0 },
  {
    faults: ['500@manifest-delete:nth=1', '504@manifest-delete:nth=1,handled,spelling=nginx'],
    does: ['delete'],
    extra: 1,
  },
  { faults: ['403@manifest-delete'], does: ['delete'], extra: 5 },
];

const CLEAN: readonly Rows[] = [
  {
    faults: [[]],
    does: [...ALL, ...HUGE, 'push in one request', 'list nothing', 'write and read'],
    extra: 0,
  },
  {
    faults: ['lost@upload-commit:nth=1', '429@upload-start:nth=1', 'reset@manifest-write:nth=1'],
    does: HUGE,
    extra: 2,
  },
  {
    faults: ['reset@upload-chunk:at=40%,nth=2', 'stall@upload-chunk:at=3MiB,nth=3'],
    does: ['push 24 MiB in chunks', 'push 24 MiB stream'],
    again: 0.2,
    options: STALL,
  },
  { faults: ['reset@upload-commit:at=40%,nth=1'], does: ['push 24 MiB whole'], extra: 4, again: 1 },
];

export const TABLE: readonly Rows[] = [
  ...CLEAN,
  ...TRANSIENT,
  ...THROTTLED,
  ...PERMANENT,
  ...BROKEN_UPLOADS,
  ...FORGOTTEN,
  ...AWAY,
  ...LIMITS,
  ...ODD,
  ...READING,
  ...LISTS,
  ...DELETIONS,
];

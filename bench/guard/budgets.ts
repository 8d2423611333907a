/**
 * What the product may cost, and why. A budget is a count, or a ratio within one run, so that it holds on any machine;
 * where it leaves room above what is measured the reason says for what. Raising one is a decision: write it down here.
 */

export interface Budget {
  readonly atMost?: number;
  readonly atLeast?: number;
  /** What the figure guards, and why it is what it is. */
  readonly reason: string;
}

const NO_COPY: Budget = {
  atMost: 0.01,
  reason:
    'a file goes to the socket through windows that are read into and used again; nothing copies its bytes',
};
const FEW_BUFFERS: Budget = {
  atMost: 0.05,
  reason:
    'some windows of 256 KiB serve all files; buffers that grow with the bytes end in the garbage collector',
};
const HASHED_ELSEWHERE: Budget = {
  atMost: 0,
  reason: 'the hash threads hash; on the main thread it would stop all sockets for as long',
};
const IN_MEMORY: Budget = { atMost: 1, reason: 'blocks stay within the memory that the user gave the cache' };

export const BUDGETS = {
  pushFiles: {
    'whole: copied per byte': NO_COPY,
    'whole: allocated per byte': FEW_BUFFERS,
    'whole: hashed on the main thread per byte': HASHED_ELSEWHERE,
    'whole: requests per object': {
      atMost: 2.2,
      reason:
        'one POST with the blob, one PUT of its manifest; the shared configuration blob is one more for all',
    },
    'whole: requests per push': { atMost: 1, reason: 'one list of the tags tells what need not be sent' },
    'chunked: copied per byte': NO_COPY,
    'chunked: allocated per byte': FEW_BUFFERS,
    'chunked: hashed on the main thread per byte': HASHED_ELSEWHERE,
    'chunked: requests per object': {
      atMost: 6.6,
      reason: 'three chunks of 4 MiB: POST, three PATCH, PUT, manifest; the configuration blob three for all',
    },
    'chunked: requests per push': {
      atMost: 2,
      reason: 'one list of the tags, one look for the configuration blob',
    },
  },
  pushSmall: {
    'requests per put': {
      atMost: 2,
      reason: 'one POST with the blob, one PUT of its manifest, and no look before',
    },
    'requests per refreshed lock': {
      atMost: 2,
      reason: 'a lock is put again all the time, and is no more than a blob',
    },
    'requests per delete': {
      atMost: 2,
      reason: 'the tag, and the manifest that it leaves behind: its payload would stay',
    },
    'requests per deleted lock': { atMost: 1, reason: 'a lock has nothing to give back' },
    'requests per list': { atMost: 1, reason: '201 tags are one page' },
    'parsed per list': {
      atMost: 0,
      reason:
        'MACs are read from the bytes of a page: a parser makes a string of each tag, only to be looked at',
    },
    'files opened per file': {
      atMost: 1,
      reason: 'opening and closing a small file costs more than hashing it',
    },
    'objects listed': { atLeast: 201, reason: 'a list that ends early would be cheap and wrong' },
  },
  arriving: {
    'copied per byte': {
      atMost: 1.01,
      reason: 'one copy from the pipe into shared memory; it is sent from there',
    },
    'whole: copied per byte': {
      atMost: 1.01,
      reason: 'one copy into shared memory; it is hashed and sent from there',
    },
    'hashed on the main thread per byte': HASHED_ELSEWHERE,
  },
  pullFiles: {
    'copied per byte': {
      atMost: 0.03,
      reason:
        'sockets read into windows, from which the hash threads write; what follows a wait for one is copied',
    },
    'allocated per byte': { atMost: 0.02, reason: 'windows are used again' },
    'hashed on the main thread per byte': HASHED_ELSEWHERE,
    'requests per object': { atMost: 2.2, reason: 'a manifest and a blob, and CONFIG once' },
    'window memory per byte': { atMost: 0.45, reason: 'windows are 32 MiB at most, here for 72 MiB' },
  },
  reads: {
    'copied per byte': {
      atMost: 0.03,
      reason:
        'sockets read into the blocks of the cache; only what comes with the head of an answer is copied',
    },
    'allocated per byte': { atMost: 1.02, reason: 'the blocks, which are handed out without a copy' },
    'manifest requests per object': { atMost: 1, reason: 'an object is resolved once and remembered' },
    'blob requests per MiB': { atMost: 1, reason: 'pieces of a packfile come in requests of megabytes' },
    'requests of reading it again': { atMost: 0, reason: '36 MiB fit into a cache of 64 MiB' },
  },
  traces: {
    'mixed-restore: requests per read': {
      atMost: 0.05,
      reason: '259 requests restore 531 MiB; virtual time, always the same',
    },
    'mixed-restore: fetched per byte': {
      atMost: 1.05,
      reason: 'a restore reads all, and nothing should come twice',
    },
    'mixed-restore: waiting × 50 ms round trips': {
      atMost: 44,
      reason: 'read-ahead hides all but the first reads of a packfile',
    },
    'mixed-restore: memory of 64 MiB': IN_MEMORY,
    'small-restore: requests per read': {
      atMost: 0.003,
      reason: 'thousands of small reads lie in a few packfiles',
    },
    'small-restore: fetched per byte': { atMost: 1.25, reason: 'what lies between the pieces comes along' },
    'small-restore: waiting × 50 ms round trips': {
      atMost: 8,
      reason: 'read-ahead hides all but the first reads of a packfile',
    },
    'small-restore: memory of 64 MiB': IN_MEMORY,
    'big-check: requests per read': {
      atMost: 0.7,
      reason: 'pieces of a megabyte and more: two of them in three requests',
    },
    'big-check: fetched per byte': {
      atMost: 1.05,
      reason: 'a check reads all, and nothing should come twice',
    },
    'big-check: waiting × 50 ms round trips': {
      atMost: 42,
      reason: 'read-ahead hides all but the first reads of a packfile',
    },
    'big-check: memory of 64 MiB': IN_MEMORY,
    'mixed-cat: requests per read': {
      atMost: 1.3,
      reason: 'one file out of many packfiles: about one request each',
    },
    'mixed-cat: fetched per byte': {
      atMost: 1.4,
      reason: 'reading ahead may cost less than half of what is read',
    },
    'mixed-cat: waiting × 50 ms round trips': {
      atMost: 13,
      reason: 'one wait for each packfile that is opened',
    },
    'mixed-cat: memory of 64 MiB': IN_MEMORY,
    'mixed-ls: requests per read': { atMost: 0.03, reason: 'a listing reads kilobytes here and there' },
    'mixed-ls: fetched per byte': {
      atMost: 8,
      reason: 'of kilobytes a window more is cheaper than a round trip',
    },
    'mixed-ls: waiting × 50 ms round trips': { atMost: 7, reason: 'one wait for each place' },
    'mixed-ls: memory of 64 MiB': IN_MEMORY,
  },
  parallel: {
    'uploads at once': {
      atLeast: 16,
      reason: 'concurrency is 16 unless the user or a registry says otherwise',
    },
    'chunks read while another is sent': {
      atLeast: 1,
      reason: 'a chunk is read and hashed while the one before travels',
    },
  },
  memory: {
    'peak above idle per budget': {
      atMost: 1,
      reason: 'memory is bounded by --memory, however many objects wait and however fast their sources are',
    },
    'payload memory per budget': {
      atMost: 0.4,
      reason:
        'what payloads take is --memory less 96 MiB for threads, heap and sockets, and a third of it at least',
    },
  },
  processorTime: {
    'push × control': {
      atMost: 1.9,
      reason:
        'reading, hashing and sending the same bytes once costs 1; 1.26 was measured, the rest is for a machine that does other work',
    },
  },
} as const satisfies Record<string, Record<string, Budget>>;

export type ScenarioName = keyof typeof BUDGETS;

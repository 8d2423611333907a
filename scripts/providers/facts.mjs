import { markdownTable } from './table.mjs';

/** Bytes as people say them, in the unit that comes out even. */
export function bytes(value) {
  for (const [unit, size] of [
    ['GiB', 1024 ** 3],
    ['GB', 1e9],
    ['MiB', 1024 ** 2],
    ['MB', 1e6],
  ]) {
    if (value % size === 0) return `${value / size} ${unit}`;
  }
  return `${value} bytes`;
}

const yes = (value) => (value ? 'yes' : 'no');

const ROWS = [
  ['form of upload', ({ upload }) => upload.mode, (value) => (value === 'monolithic' ? 'one body' : value)],
  ['uploads in chunks', ({ upload }) => upload.chunks, yes],
  ['upload in one POST', ({ upload }) => upload.singlePost, yes],
  ['shortest chunk', ({ upload }) => upload.chunkMinBytes, bytes],
  ['longest chunk', ({ upload }) => upload.chunkMaxBytes, bytes],
  ['chunks are multiples of', ({ upload }) => upload.chunkStepBytes, bytes],
  ['longest body', ({ upload }) => upload.bodyMaxBytes, bytes],
  ['longest blob', ({ upload }) => upload.blobMaxBytes, bytes],
  ['last chunk in the closing PUT', ({ upload }) => upload.commitWithLastChunk, yes],
  ['deletion by tag', ({ deletion }) => deletion.byTag, yes],
  ['deletion by digest', ({ deletion }) => deletion.byDigest, yes],
  ['deletion by digest while tagged', ({ deletion }) => deletion.whileTagged, yes],
  ['deletion of blobs', ({ deletion }) => deletion.blobs, yes],
  ['when space is freed', ({ deletion }) => deletion.reclaims, () => 'see Deletion'],
  [
    'immutable tags',
    ({ tags }) => tags.immutability,
    (value) => (value === 'never' ? 'not offered' : 'can be set'),
  ],
  ['page of tags', ({ tags }) => tags.pageSize, String],
];

/** What a profile says, each fact with its source; empty where it says nothing. */
export function factsTable(profile) {
  const facts = ROWS.flatMap(([name, pick, say]) => {
    const fact = pick(profile);
    return fact && fact.source !== 'none' ? [[name, say(fact.value), fact.source]] : [];
  });
  const rates = profile.rates.map(({ value, source }) => [
    `requests: ${value.kinds.join(', ')}`,
    `${value.perSecond} a second`,
    source,
  ]);
  const rows = [...facts, ...rates];
  return rows.length === 0 ? '' : markdownTable(['fact', 'value', 'source'], rows);
}

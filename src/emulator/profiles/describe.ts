import type { EmulatorProfile, Refusal, TagListProfile, UploadProfile } from './profile.ts';

/** One column of the tables that describe the profiles. */
export interface Column {
  readonly title: string;
  readonly cell: (profile: EmulatorProfile) => string;
}

/** How uploads go, a column for each difference. */
export const UPLOAD_COLUMNS: readonly Column[] = [
  { title: '`POST ?digest=`', cell: ({ upload }) => SINGLE_POST[upload.singlePost] },
  { title: 'Location', cell: ({ upload }) => `${LOCATION[upload.location]}${STATE[upload.state]}` },
  { title: 'chunk', cell: ({ upload }) => `${upload.chunkStatus}, ${CHUNKS[upload.chunks]}` },
  { title: 'out of order', cell: ({ upload }) => outOfOrder(upload) },
  { title: '`Range` (POST, chunk, GET, 416)', cell: ({ upload }) => ranges(upload) },
  { title: 'GET of a session', cell: ({ upload }) => STATUS[upload.status] },
  { title: 'closing PUT', cell: closingPut },
  { title: 'limits in bytes', cell: limits },
];

/** What else differs. */
export const CONTENT_COLUMNS: readonly Column[] = [
  { title: 'GET blob', cell: ({ blobs }) => getBlob(blobs) },
  { title: 'DELETE blob', cell: ({ blobs }) => deletion(blobs.delete, blobs.deleteReferenced, 'referenced') },
  { title: 'DELETE tag', cell: ({ manifests }) => deletion(manifests.remove.tag) },
  { title: 'DELETE digest', cell: ({ manifests }) => deleteDigest(manifests.remove) },
  { title: 'manifests', cell: ({ manifests }) => manifestRules(manifests) },
  { title: 'tag list', cell: ({ tags }) => tagList(tags) },
  { title: 'referrers', cell: ({ referrers }) => (referrers ? 'yes' : 'no') },
  { title: 'credentials', cell: ({ auth }) => credentials(auth) },
  { title: 'quota', cell: ({ quota }) => (quota ? short(quota) : '–') },
];

const SINGLE_POST = {
  stored: '201',
  ignored: '202, body dropped',
  strict: '201, as octets of known length',
} as const;
const LOCATION = { relative: 'relative', absolute: 'absolute', http: 'absolute, always http' } as const;
const STATE = {
  none: '',
  sealed: ', `_state`',
  'sealed-late': ', `_state` (not for GET)',
  hash: ', `_stateHash`',
  opaque: ', changing query',
} as const;
const CHUNKS = {
  checked: 'in order',
  ignored: 'always appended',
  overlapping: 'overlaps passed over',
  equal: 'equal lengths',
  single: 'one a session',
} as const;
const STATUS = { told: '204', 'without-location': '204 without Location', 'not-found': '404' } as const;
const RANGES = {
  cumulative: '`0-n`',
  honest: '`0-n`, empty `0--1`',
  bytes: '`bytes=0-n`, empty `bytes=0--1`',
  count: '`0-n`, n one too many',
  'bytes-count': '`bytes=0-n`, n one too many',
  stuck: 'end of the first chunk',
  request: 'of that request',
  stretch: '`m-n`',
  none: 'none',
} as const;

function outOfOrder(upload: UploadProfile): string {
  if (upload.chunks === 'ignored') return 'appended';
  if (upload.chunks === 'single' && upload.secondChunk) return short(upload.secondChunk);
  const again = upload.misplacedAgain ? `, then ${short(upload.misplacedAgain)}` : '';
  return `${short(upload.misplaced)}${again}`;
}

function ranges({ range, chunks }: UploadProfile): string {
  const refused = chunks === 'ignored' || chunks === 'single' ? '–' : RANGES[range.refused];
  return [RANGES[range.opened], RANGES[range.chunk], RANGES[range.status], refused].join('; ');
}

function closingPut({ upload }: EmulatorProfile): string {
  const { last, emptyBlob, wrongDigest } = upload;
  const parts = [
    last.body === 'lost' ? 'body dropped after chunks' : '',
    last.body === 'declared' ? 'body needs a length' : '',
    last.range === 'ignored' ? 'Content-Range not read' : '',
    last.rangedWhole ? `whole with Content-Range ${last.rangedWhole.status}` : '',
    last.empty ? `without body ${last.empty.status}` : '',
    emptyBlob ? `empty blob ${emptyBlob.status}` : '',
    wrongDigest ? `wrong digest ${short(wrongDigest)}` : '',
  ];
  return list(parts);
}

function limits({ upload, bodyLimit }: EmulatorProfile): string {
  const { rangedBody, smallChunk, chunkHeaders, last } = upload;
  return list([
    bodyLimit ? `body ${bytes(bodyLimit.maxBytes)}: ${bodyLimit.refusal.status}` : '',
    last.maxBytes ? `PUT ${bytes(last.maxBytes.bytes)}: ${last.maxBytes.refusal.status}` : '',
    rangedBody ? `chunk ${bytes(rangedBody.maxBytes)}: ${rangedBody.refusal.status}` : '',
    smallChunk ? `chunk at least ${bytes(smallChunk.minBytes)}: ${smallChunk.refusal.status} at the end` : '',
    chunkHeaders ? `chunks ${bytes(chunkHeaders.minBytes)} to ${bytes(chunkHeaders.maxBytes)} by header` : '',
  ]);
}

function getBlob({ bytes: from, ranges: honoured }: EmulatorProfile['blobs']): string {
  if (from !== 'direct') return `${from} to a signed URL`;
  return honoured ? '200, 206' : '200, Range ignored';
}

function deletion(refusal: Refusal | undefined, sometimes?: Refusal, when = ''): string {
  if (refusal) return short(refusal);
  return sometimes ? `202; ${when} ${short(sometimes)}` : '202';
}

function deleteDigest(remove: EmulatorProfile['manifests']['remove']): string {
  if (remove.digest) return short(remove.digest);
  return list([
    '202',
    remove.digestWhileTagged ? `tagged ${short(remove.digestWhileTagged)}` : '',
    remove.digestOfSeveralTags ? `several tags ${short(remove.digestOfSeveralTags)}` : '',
    remove.referenced ? `referenced ${short(remove.referenced)}` : '',
    remove.page ? `above ${remove.page.tags} tags ${short(remove.page.refusal)}` : '',
  ]);
}

function manifestRules(manifests: EmulatorProfile['manifests']): string {
  const { layers, artifactType, immutable, staleReads, accept, tellsLocation } = manifests;
  return list([
    layers?.max ? `above ${layers.max.count} layers ${short(layers.max.refusal)}` : '',
    layers?.min ? `no layer ${layers.min.status}` : '',
    artifactType ? `artifactType ${short(artifactType)}` : '',
    immutable ? `tag set again ${short(immutable.put)}` : '',
    staleReads ? `${staleReads} stale reads after a PUT` : '',
    accept ? 'OCI manifests only with Accept' : '',
    tellsLocation ? '' : 'no Location',
  ]);
}

function tagList(tags: TagListProfile): string {
  return list([
    tags.unpaged ? 'no pages' : tags.page === 'all' ? 'all without n' : `pages of ${tags.page}`,
    tags.maxPage
      ? `n at most ${tags.maxPage.tags}${tags.maxPage.refusal ? `: ${tags.maxPage.refusal.status}` : ''}`
      : '',
    tags.order === 'sorted' ? '' : 'unsorted',
    tags.unpaged
      ? ''
      : { relative: '', absolute: 'absolute Link', unbracketed: 'Link without `<>`' }[tags.link],
    tags.empty === 'null' ? '`null` when empty' : '',
    tags.emptied ? `${tags.emptied.status} when emptied` : '',
    tags.contentType ? 'text/plain' : '',
    typeof tags.lastMissing === 'object' ? `${tags.lastMissing.status} when \`last\` is gone` : '',
    tags.listsDigests ? 'digests among the tags' : '',
  ]);
}

function credentials({ scheme, tokenLifeMs, showsLife, scopes }: EmulatorProfile['auth']): string {
  const name = { basic: 'Basic', bearer: 'Bearer', both: 'Basic and Bearer' }[scheme];
  return list([
    name,
    scheme !== 'basic' && tokenLifeMs !== undefined ? `${tokenLifeMs / 1000} s` : '',
    showsLife === false ? 'no expires_in' : '',
    scopes === 'two-in-one' ? 'two scopes in one' : '',
    scopes === 'metadata-read' ? 'metadata_read' : '',
    scopes === 'without-first-part' ? 'scope without the first part of the name' : '',
  ]);
}

function short({ status, code }: Refusal): string {
  return code === undefined || code === 'UNSUPPORTED' ? String(status) : `${status} ${code}`;
}

function bytes(count: number): string {
  const mib = count / (1024 * 1024);
  return Number.isInteger(mib) ? `${mib} MiB` : `${count / 1_000_000} MB`;
}

function list(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(', ') || '–';
}

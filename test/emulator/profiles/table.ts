/**
 * What each registry answers: the profiles of the emulator are held to it, and the registries that run here
 * (test/e2e/profilesAreTrue.test.ts) as well.
 */
import type { ProfileName } from '../../../src/emulator/index.ts';
import { ask, chunk, commit, type Line, manifest, post, session } from './transcript.ts';

const MIB = 1024 * 1024;
const OCI = { Accept: 'application/vnd.oci.image.manifest.v1+json' };
const PART = 5 * MIB;

export interface Row {
  readonly profiles: readonly ProfileName[];
  readonly shows: string;
  readonly lines: readonly Line[];
  /** Why the program that runs here answers otherwise. */
  readonly notReal?: string;
}

const row = (profiles: ProfileName | readonly ProfileName[], shows: string, ...lines: Line[]): Row => ({
  profiles: typeof profiles === 'string' ? [profiles] : profiles,
  shows,
  lines,
});

const DISTRIBUTION_2 = ['registry2', 'registry2-nodelete'] as const;

export const TABLE: readonly Row[] = [
  // Amazon ECR
  row(
    'ecr',
    'chunks are 201, and Range stays at the end of the first one',
    [post(), 202, { headers: { range: '0-0', location: /^http:\/\/.+\/blobs\/uploads\// } }],
    [chunk(PART), 201, { headers: { range: '0-5242879' } }],
    [chunk(PART), 201, { headers: { range: '0-5242879' } }],
    [commit(100, { ranged: true }), 201],
    [ask('HEAD', 'blobs/@blob'), 200, { headers: { 'content-length': '10485860' } }],
  ),
  row(
    'ecr',
    'a session that lives is not found',
    [post(), 202],
    [chunk(10), 201],
    [session('GET'), 404],
    [commit(), 201],
  ),
  row(
    'ecr',
    'a repeated chunk is refused, and the message has the true offset',
    [post(), 202],
    [chunk(PART), 201],
    [
      chunk(PART, { at: 0 }),
      416,
      {
        headers: { location: null, range: null },
        says: 'First byte of the layer part is 0 instead of 5242880',
      },
    ],
  ),
  row(
    'ecr',
    'chunks below 5 MiB that are not the last one',
    [post(), 202],
    [chunk(MIB), 201],
    [chunk(MIB), 201],
    [commit(), 400, { says: 'at least 5MB' }],
  ),
  row(
    'ecr',
    'a digest that is another',
    [post(), 202],
    [
      commit(100, { at: 0, digest: `sha256:${'0'.repeat(64)}` }),
      400,
      { says: 'None of the provided layer digests match' },
    ],
  ),
  row('ecr', 'a blob of no bytes', [post(), 202], [commit(), 400, { says: 'does not have any parts' }]),
  row(
    'ecr',
    'manifests of 0 and 501 layers, and no Location',
    [
      manifest('v1', { layers: 500 }),
      201,
      { headers: { location: null, 'docker-content-digest': /^sha256:/ } },
    ],
    [manifest('v2', { layers: 501 }), 405, { says: 'Limit on number of layers' }],
    [manifest('v3', { layers: 0 }), 405, { says: 'at least 1 layer' }],
  ),
  row(
    'ecr',
    'tag lists: text/plain, by storage order, absolute Link, n up to 1,000',
    [manifest('b'), 201],
    [manifest('a'), 201],
    [
      ask('GET', 'tags/list?n=1'),
      200,
      {
        headers: { 'content-type': /^text\/plain/, link: /^<http:.*n=1&last=.*>; rel="next"$/ },
        says: '["b"]',
      },
    ],
    [ask('GET', 'tags/list'), 200, { headers: { link: null }, says: '["b","a"]' }],
    [ask('GET', 'tags/list?n=1001'), 405, { says: 'less than or equal to 1000' }],
  ),
  row(
    'ecr',
    'deletion: by digest',
    [manifest('v1'), 201],
    [ask('DELETE', 'manifests/v1'), 405],
    [ask('DELETE', 'blobs/@v1-layer'), 405],
    [ask('DELETE', 'manifests/@v1'), 202],
    [ask('GET', 'tags/list'), 200, { says: '"tags":null' }],
  ),
  row('ecr-2023', 'artifactType', [
    manifest('v1', { fields: { artifactType: 'application/vnd.example' } }),
    405,
    { says: 'Invalid JSON' },
  ]),
  row('ecr-2023', 'a closing PUT without a body', [post(), 202], [chunk(10), 201], [commit(), 500]),
  row(
    'ecr-immutable',
    'a tag cannot be set again, not even to the same',
    [manifest('v1'), 201],
    [manifest('v1'), 400, { says: 'TAG_INVALID' }],
    [manifest('v1', { content: 'other' }), 400, { says: 'TAG_INVALID' }],
  ),

  // GitHub
  row(
    'ghcr',
    'a chunk above 4 MiB; one of 4 MiB; a whole PATCH without Content-Range',
    [post(), 202],
    [chunk(4 * MIB + 1, { at: 0 }), 416, { says: 'maximum permissible limit of 4.00MiB' }],
    [post(), 202],
    [chunk(4 * MIB), 202, { headers: { range: '0-4194303' } }],
    [commit(), 201],
    [post(), 202],
    [chunk(8 * MIB, { ranged: false }), 202],
    [commit(), 201],
  ),
  row(
    'ghcr',
    'a whole blob in one PUT, with Content-Range and without',
    [post(), 202],
    [commit(100, { ranged: true }), 416, { says: 'REQUESTED_RANGE_NOT_SATISFIABLE' }],
    [commit(100, { at: 0 }), 201],
  ),
  row(
    'ghcr',
    'nothing is deleted',
    [manifest('v1'), 201],
    [ask('DELETE', 'manifests/v1'), 405, { says: 'UNSUPPORTED' }],
    [ask('DELETE', 'manifests/@v1'), 405, { says: 'UNSUPPORTED' }],
    [ask('GET', 'referrers/@v1'), 404],
  ),
  row(
    'ghcr-stale',
    'two reads after a PUT see what was before',
    [manifest('v1'), 201],
    [ask('HEAD', 'manifests/v1'), 404],
    [ask('GET', 'manifests/v1'), 404],
    [ask('GET', 'manifests/v1'), 200, { says: '"v1"' }],
    [manifest('v1', { content: 'newer' }), 201],
    [ask('GET', 'manifests/v1'), 200, { says: '"v1"' }],
    [ask('GET', 'manifests/v1'), 200, { says: '"v1"' }],
    [ask('GET', 'manifests/v1'), 200, { says: '"newer"' }],
  ),

  // Google
  row(
    'gar',
    'one PATCH, and no second one',
    [post(), 202, { headers: { range: null } }],
    [chunk(1000, { ranged: false }), 202],
    [commit(), 201],
    [post(), 202],
    [chunk(1000), 202],
    [chunk(1000), 400],
  ),
  row(
    'gar',
    'a digest goes only without its tags',
    [manifest('v1'), 201],
    [ask('DELETE', 'manifests/@v1'), 400, { says: 'GOOGLE_MANIFEST_DANGLING_TAG' }],
    [ask('DELETE', 'manifests/v1'), 202],
    [ask('DELETE', 'manifests/@v1'), 202],
    [ask('GET', 'manifests/@v1'), 404],
  ),

  // Azure
  row('acr', 'a blob with its POST', [post({ bytes: 100 }), 201], [ask('HEAD', 'blobs/@blob'), 200]),
  row(
    'acr',
    'a PUT above 20 MB; the same in chunks',
    [post(), 202, { headers: { location: /^\/v2\/.*\?_nouploadcache=false&_state=/ } }],
    [commit(20_000_001, { at: 0 }), 413, { headers: { 'content-type': 'text/html' }, says: '<html>' }],
    [post(), 202],
    [chunk(12 * MIB), 202],
    [chunk(12 * MIB), 202, { headers: { range: '0-25165823' } }],
    [commit(), 201],
  ),
  row(
    'acr',
    'out of order: first with a code, then with nothing but headers',
    [post(), 202],
    [chunk(22, { at: 5 }), 416, { says: 'BLOB_UPLOAD_RANGE_INVALID' }],
    [chunk(22, { at: 0 }), 202],
    [chunk(22, { at: 99 }), 416, { headers: { range: '0-21', location: /_state=/, 'content-length': '0' } }],
    [session('GET'), 204, { headers: { range: '0-21' } }],
  ),
  row(
    'acr',
    'a streamed body with Content-Range',
    [post(), 202],
    [chunk(100, { streamed: true }), 400, { says: 'CONTENT_LENGTH_INVALID' }],
  ),
  row(
    'acr',
    'deletion: digests and blobs, not tags; an emptied repository is unknown',
    [manifest('v1'), 201],
    [ask('DELETE', 'manifests/v1'), 405],
    [ask('DELETE', 'manifests/@v1'), 202],
    [ask('DELETE', 'blobs/@v1-layer'), 202],
    [ask('GET', 'tags/list'), 404, { says: 'NAME_UNKNOWN' }],
  ),

  // Docker Hub
  row(
    'dockerhub',
    'a relative Location, and sessions that tell',
    [post(), 202, { headers: { location: /^\/v2\//, range: '0-0', 'docker-upload-uuid': /./ } }],
    [chunk(100), 202, { headers: { range: '0-99' } }],
    [session('GET'), 204, { headers: { range: '0-99' } }],
    [session('DELETE'), 204],
  ),
  row(
    'dockerhub',
    'a tag cannot be deleted, nor a digest that is tagged',
    [manifest('v1'), 201],
    [ask('DELETE', 'manifests/v1'), 405],
    [ask('DELETE', 'manifests/@v1'), 403],
    [manifest('v1', { content: 'other' }), 201],
  ),

  // Harbor
  row(
    'harbor',
    'deletion by tag is 400, and a cookie comes along',
    [manifest('v1'), 201, { headers: { 'set-cookie': /^sid=/ } }],
    [ask('DELETE', 'manifests/v1'), 400, { says: 'UNSUPPORTED' }],
    [ask('DELETE', 'manifests/@v1'), 202],
  ),
  row(
    'harbor-immutable',
    '412 for a tag that exists and for its digest',
    [manifest('v1'), 201],
    [manifest('v1', { content: 'other' }), 412, { says: 'PRECONDITION' }],
    [ask('DELETE', 'manifests/@v1'), 412, { says: 'PRECONDITION' }],
  ),
  row(
    'harbor',
    'an old `_state` is 404, as in distribution 2.8',
    [post(), 202, { headers: { location: /^http:\/\/.*\?_state=/ } }],
    [chunk(10), 202],
    [session('GET', { location: 0 }), 404, { says: 'BLOB_UPLOAD_INVALID' }],
    [session('GET'), 204],
  ),

  // Quay
  row(
    'quay',
    'Range in four spellings, and GET without Location',
    [post(), 202, { headers: { range: 'bytes=0--1', location: /^http:/ } }],
    [chunk(100), 202, { headers: { range: '0-99' } }],
    [session('GET'), 204, { headers: { range: 'bytes=0-100', location: null } }],
    [chunk(10, { at: 101 }), 416, { headers: { range: '0-100', location: /./, 'content-length': '0' } }],
    [commit(), 201],
  ),
  row(
    'quay',
    'a chunk that overlaps is taken for what is new in it',
    [post(), 202],
    [chunk(100), 202],
    [chunk(100, { at: 50 }), 202, { headers: { range: '0-149' } }],
    [chunk(50, { at: 100 }), 202, { headers: { range: '0-149' } }],
    [commit(), 201],
  ),
  row(
    'quay',
    'a first chunk sent again is stored twice',
    [post(), 202],
    [chunk(100), 202],
    [chunk(100, { at: 0 }), 202],
    [commit(), 400, { says: 'BLOB_UPLOAD_INVALID' }],
  ),
  row('quay', 'a Content-Range with a total', [post(), 202], [chunk(10, { range: 'bytes 0-9/10' }), 400]),
  row(
    ['quay', 'quay-direct'],
    'a blob with its POST; blobs stay',
    [post({ bytes: 100 }), 201],
    [ask('DELETE', 'blobs/@blob'), 405],
    [post({ query: 'mount=sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a' }), 400],
  ),
  row(
    'quay',
    '302 to the storage',
    [post({ bytes: 100 }), 201],
    [ask('GET', 'blobs/@blob'), 302, { headers: { location: /^http:\/\/.*X-Amz-Signature=/ } }],
  ),
  row(
    'quay-direct',
    'a Range is answered with the whole',
    [post({ bytes: 100 }), 201],
    [
      ask('GET', 'blobs/@blob', { Range: 'bytes=10-19' }),
      200,
      { headers: { 'content-length': '100', 'accept-ranges': null } },
    ],
  ),

  // GitLab
  row(
    'gitlab',
    'out of order, and a last chunk with the PUT',
    [post({ bytes: 30 }), 202],
    [chunk(22, { at: 0 }), 202],
    [chunk(22, { at: 99 }), 416, { says: 'CONTENT_RANGE_INVALID', headers: { location: null } }],
    [commit(8, { at: 22, ranged: true }), 201],
  ),
  row(
    'gitlab',
    'all can be deleted',
    [manifest('v1'), 201],
    [manifest('v2'), 201],
    [ask('DELETE', 'manifests/v1'), 202],
    [ask('DELETE', 'manifests/@v2'), 202],
    [ask('DELETE', 'blobs/@v2-layer'), 202],
    [ask('GET', 'referrers/@v2'), 404],
  ),

  // Artifactory
  row(
    'artifactory',
    'a Range that does not start at 0, and a 416 without a code',
    [post(), 202, { headers: { range: null, location: /^http:\/\/.*\.patch$/ } }],
    [chunk(22), 202, { headers: { range: '0-21' } }],
    [chunk(20), 202, { headers: { range: '22-41' } }],
    [session('GET'), 204, { headers: { range: '0-41' } }],
    [
      chunk(5, { at: 99 }),
      416,
      { headers: { location: null, range: null }, says: '{"errors":[{"status":416,' },
    ],
    [post({ bytes: 100 }), 201],
    [ask('DELETE', 'blobs/@blob'), 405],
  ),
  row(
    'artifactory',
    'digests among the tags; 404 when emptied',
    [manifest('v1'), 201],
    [ask('DELETE', 'manifests/v1'), 202],
    [ask('GET', 'tags/list'), 200, { says: /"tags":\["sha256:[0-9a-f]{64}"\]/ }],
    [ask('DELETE', 'manifests/@v1'), 202],
    [ask('GET', 'tags/list'), 404],
  ),

  // Cloudflare
  row(
    'cloudflare',
    'chunks of one length, told by header',
    [
      post(),
      202,
      {
        headers: {
          'oci-chunk-min-length': '5242880',
          'oci-chunk-max-length': '100000000',
          location: /^\/v2\/.*\?_stateHash=/,
        },
      },
    ],
    [chunk(PART), 202, { headers: { range: '0-5242879' } }],
    [chunk(PART), 202],
    [chunk(PART + 1), 416, { says: 'RANGE_ERROR' }],
    [chunk(1, { at: 2 * PART }), 416],
    [chunk(100, { at: 2 * PART }), 202],
    [chunk(100, { at: 2 * PART + 100 }), 416],
  ),
  row(
    'cloudflare',
    'an old state tells the newest one',
    [post(), 202],
    [chunk(PART), 202],
    [chunk(PART, { location: 0 }), 416, { headers: { range: '0-5242879', location: /_stateHash=/ } }],
    [session('GET'), 204],
    [commit(), 201],
  ),
  row(
    'cloudflare',
    'an empty session is `0--1`, one that is unknown 404 or 500',
    [post(), 202],
    [session('GET'), 204, { headers: { range: '0--1' } }],
    [ask('GET', 'blobs/uploads/none'), 404],
    [ask('PATCH', 'blobs/uploads/none'), 500],
    [commit(), 500],
  ),
  row(
    'cloudflare',
    'a closing PUT loses its body after chunks',
    [post(), 202],
    [chunk(100), 202],
    [commit(50), 500, { says: 'INTERNAL_ERROR' }],
  ),
  row(
    'cloudflare',
    'Range ignored, tag deletion, unknown repository',
    [ask('GET', 'tags/list'), 200, { says: '"tags":[]' }],
    [ask('GET', 'tags/list?n=0'), 400],
    [post({ bytes: 100 }), 202],
    [commit(100, { at: 0 }), 201],
    [ask('GET', 'blobs/@blob', { Range: 'bytes=10-19' }), 200, { headers: { 'content-length': '100' } }],
    [manifest('v1'), 201],
    [manifest('v2'), 201],
    [ask('GET', 'tags/list?n=1'), 200, { headers: { link: /^http:\/\/[^<>]*n=1&last=v1; rel=next$/ } }],
    [ask('DELETE', 'manifests/v1'), 202],
    [ask('DELETE', 'manifests/@v2'), 202],
  ),

  // zot
  row(
    'zot',
    'a blob with its POST: as octets, of known length',
    [post({ bytes: 100, headers: { 'Content-Type': 'text/plain' } }), 415],
    [post({ bytes: 100, headers: { 'Transfer-Encoding': 'chunked' } }), 400],
    [post({ bytes: 100 }), 201],
  ),
  {
    ...row(
      'zot',
      'Range of an empty session, and of a chunk by itself',
      [post(), 202, { headers: { range: '0-0', location: /^\/v2\/[^?]*$/ } }],
      [session('GET'), 204, { headers: { range: '0--1' } }],
      [chunk(100), 202, { headers: { range: '0-99' } }],
      [chunk(50), 202, { headers: { range: '0-49' } }],
      [commit(), 201],
    ),
    notReal: 'mended in 2.1.17',
  },
  row(
    'zot',
    'out of order: 416, and nothing else',
    [post(), 202],
    [chunk(100), 202],
    [chunk(100, { at: 0 }), 416, { headers: { location: null, range: null } }],
    [chunk(10, { range: 'bytes 0-9/10' }), 416],
  ),
  row(
    'zot',
    'a body that breaks off ends the session',
    [post(), 202],
    [chunk(2 * MIB, { at: 0, cutAt: MIB }), 'cut'],
    [session('GET'), 404],
  ),
  row(
    'zot',
    'a streamed PUT loses its body',
    [post(), 202],
    [commit(100, { streamed: true }), 400, { says: 'DIGEST_INVALID' }],
  ),
  row(
    'zot',
    'deletion: tags, digests of one tag, blobs that nothing names',
    [manifest('v1'), 201],
    [ask('DELETE', 'blobs/@v1-layer'), 405],
    [ask('DELETE', 'manifests/v1'), 202],
    [manifest('v2'), 201],
    [ask('DELETE', 'manifests/@v2'), 202],
    [post({ bytes: 100 }), 201],
    [ask('DELETE', 'blobs/@blob'), 202],
  ),
  row(
    'ecr-public',
    'as the private one',
    [post(), 202],
    [chunk(PART), 201, { headers: { range: '0-5242879' } }],
    [session('GET'), 404],
  ),
  {
    ...row(
      'zot',
      'the digest of two tags',
      [manifest('v1', { content: 'same' }), 201],
      [manifest('v2', { content: 'same' }), 201],
      [ask('DELETE', 'manifests/@v1'), 409],
    ),
    notReal: 'without access control every user has that right',
  },
  row(
    'zot',
    'a page behind a tag that is gone',
    [manifest('v1'), 201],
    [manifest('v2'), 201],
    [ask('GET', 'tags/list?n=1'), 200, { headers: { link: /^<\/v2\/.*>; rel="next"$/ } }],
    [ask('GET', 'tags/list?n=1&last=none'), 404],
  ),

  // CNCF distribution
  row(
    DISTRIBUTION_2,
    'a blob with its POST is not stored',
    [post({ bytes: 100 }), 202, { headers: { location: /^http:\/\/.*\?_state=/, range: '0-0' } }],
    [commit(100, { at: 0 }), 201],
  ),
  row(
    DISTRIBUTION_2,
    'a repeated chunk is appended once more',
    [post(), 202],
    [chunk(100), 202, { headers: { range: '0-99' } }],
    [chunk(100, { at: 0 }), 202, { headers: { range: '0-199' } }],
    [commit(), 400, { says: 'DIGEST_INVALID' }],
  ),
  row(
    DISTRIBUTION_2,
    'an old state is 404; the session stays',
    [post(), 202],
    [chunk(100), 202],
    [session('GET', { location: 0 }), 404, { says: 'BLOB_UPLOAD_INVALID' }],
    [chunk(100, { location: 0 }), 404, { says: 'BLOB_UPLOAD_INVALID' }],
    [session('GET'), 204],
  ),
  row(
    DISTRIBUTION_2,
    'a chunk that is cut has grown the session: its URL is old',
    [post(), 202],
    [chunk(2 * MIB, { at: 0, cutAt: MIB }), 'cut'],
    [session('GET'), 404, { says: 'BLOB_UPLOAD_' }],
  ),
  row(
    DISTRIBUTION_2,
    'a chunk of another type',
    [post(), 202],
    [chunk(10, { headers: { 'Content-Type': 'text/plain' } }), 500, { says: 'UNKNOWN' }],
  ),
  row(
    'registry2',
    'tags: no pages, null when empty; deletion by digest only',
    [ask('GET', 'tags/list'), 404, { says: 'NAME_UNKNOWN' }],
    [manifest('v1'), 201],
    [manifest('v2'), 201],
    [ask('GET', 'tags/list?n=1'), 200, { headers: { link: null }, says: /v1.*v2|v2.*v1/ }],
    [ask('GET', 'manifests/v1'), 404, { says: 'accept header does not support OCI manifests' }],
    [ask('GET', 'manifests/v1', OCI), 200],
    [ask('GET', 'referrers/@v1'), 404],
    [ask('DELETE', 'manifests/@v1'), 202],
    [ask('DELETE', 'manifests/@v2'), 202],
    [ask('GET', 'tags/list'), 200, { says: '"tags":null' }],
  ),
  row(
    'registry2',
    'deletion by tag',
    [manifest('v1'), 201],
    [ask('DELETE', 'manifests/v1'), 400, { says: 'DIGEST_INVALID' }],
  ),
  row(
    'registry2-nodelete',
    'nothing is deleted',
    [manifest('v1'), 201],
    [ask('DELETE', 'manifests/v1'), 405, { says: 'UNSUPPORTED' }],
    [ask('DELETE', 'manifests/@v1'), 405, { says: 'UNSUPPORTED' }],
    [ask('DELETE', 'blobs/@v1-layer'), 405, { says: 'UNSUPPORTED' }],
  ),
  row(
    'distribution3',
    'chunks in order; GET tells, whatever the state',
    [post(), 202],
    [chunk(100), 202],
    [chunk(100, { at: 0 }), 416, { says: 'RANGE_INVALID', headers: { location: null, range: null } }],
    [session('GET', { location: 0 }), 204, { headers: { range: '0-99', location: /_state=/ } }],
    [chunk(10, { at: 100, range: '100-120' }), 400, { says: 'SIZE_INVALID' }],
    [chunk(10, { range: 'bytes 0-9/10' }), 500, { says: 'UNKNOWN' }],
  ),
  row(
    'distribution3',
    'an old state does not end the session',
    [post(), 202],
    [chunk(100), 202],
    [chunk(100, { location: 0 }), 416],
    [session('GET'), 204],
  ),
  row(
    'distribution3',
    'pages, and deletion by tag and digest',
    [manifest('v1'), 201],
    [manifest('v2'), 201],
    [
      ask('GET', 'tags/list?n=1'),
      200,
      { headers: { link: /^<\/v2\/.*n=1.*>; rel="next"$/ }, says: '["v1"]' },
    ],
    [ask('GET', 'tags/list?n=x'), 400, { says: 'PAGINATION_NUMBER_INVALID' }],
    [ask('DELETE', 'manifests/v1'), 202],
    [ask('DELETE', 'manifests/@v2'), 202],
    [ask('DELETE', 'blobs/@v2-layer'), 202],
  ),
];

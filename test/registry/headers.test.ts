import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryAfterMs } from '../../src/flow/retryAfter.ts';
import { nextLink } from '../../src/registry/linkHeader.ts';
import { confirmedOffset, parseRangeEnd } from '../../src/registry/rangeHeader.ts';
import { isPrivateAddress, parseReference } from '../../src/registry/reference.ts';
import { resolveLocation, withQuery } from '../../src/registry/uploadLocation.ts';

describe('Range of a session', () => {
  it.each([
    ['0-0', 0],
    ['0--1', -1],
    ['bytes=0--1', -1],
    ['bytes=0-1023', 1023],
    ['0-1023', 1023],
    ['22-41', 41],
    ['', undefined],
    [undefined, undefined],
    ['0-', undefined],
    ['0-99999999999999999999', undefined],
    ['0--7', undefined],
  ])('%o', (header, end) => expect(parseRangeEnd(header)).toBe(end));

  it('is a number or nothing, whatever the header', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const end = parseRangeEnd(text);
        return end === undefined || (Number.isSafeInteger(end) && end >= -1);
      }),
    );
  });

  it('never leads before what was acknowledged nor behind what was sent', () => {
    fc.assert(
      fc.property(
        fc.option(fc.integer({ min: -1 }), { nil: undefined }),
        fc.nat(),
        fc.nat(),
        (end, acknowledged, more) => {
          const at = confirmedOffset(end, acknowledged, acknowledged + more);
          return at === undefined || (at >= acknowledged && at <= acknowledged + more);
        },
      ),
    );
  });
});

describe('Link', () => {
  it.each([
    ['</v2/a/tags/list?n=2&last=b>; rel="next"', '/v2/a/tags/list?n=2&last=b'],
    ['<https://h/x>; rel=next', 'https://h/x'],
    ['<x>; rel="prev", <y>; rel="next"', 'y'],
    ['https://h/v2/a/tags/list?n=50&last=z; rel=next', 'https://h/v2/a/tags/list?n=50&last=z'],
    ['<x>; rel="prev"', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%o', (header, target) => expect(nextLink(header)).toBe(target));
});

describe('Location', () => {
  const base = new URL('https://registry.example:8443/v2/a/blobs/uploads/');
  it('keeps an opaque query byte for byte', () => {
    const url = resolveLocation('/v2/a/blobs/uploads/1?_state=a%2Bb%3D', base);
    expect(withQuery(url, 'digest', 'sha256:ab').href).toBe(
      'https://registry.example:8443/v2/a/blobs/uploads/1?_state=a%2Bb%3D&digest=sha256%3Aab',
    );
  });
  it('stays with TLS behind a proxy that ends it', () => {
    expect(resolveLocation('http://registry.example/v2/x', base).href).toBe(
      'https://registry.example:8443/v2/x',
    );
  });
  it.each([
    'http://other.example/x',
    'https://10.0.0.1/x',
    'https://[::1]/x',
    'ftp://registry.example/x',
    '',
  ])('refuses %o', (header) => expect(() => resolveLocation(header, base)).toThrow(/REGISTRY_FOREIGN/));
  it('knows private addresses', () => {
    for (const host of [
      '127.0.0.1',
      '10.1.2.3',
      '172.16.0.1',
      '192.168.1.1',
      '[fd00::1]',
      '169.254.169.254',
      '::ffff:10.0.0.1',
    ]) {
      expect(isPrivateAddress(host), host).toBe(true);
    }
    for (const host of ['8.8.8.8', '172.32.0.1', 'ghcr.io', '100.128.0.1'])
      expect(isPrivateAddress(host), host).toBe(false);
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    ['7', '', 7000],
    ['Thu, 01 Jan 2026 00:00:05 GMT', '', 5000],
    ['Thu, 01 Jan 2025 00:00:05 GMT', '', 0],
    ['soon', '', undefined],
    [undefined, 'retry-after: 880.092µs, allowed: 44000/minute', 0.880092],
    [undefined, '', undefined],
  ])('%o %o', (header, message, ms) => expect(retryAfterMs(header, message, now)).toBe(ms));
});

describe('locations of stores', () => {
  it.each([
    ['oci://localhost:5000/my-org/store', 'http://localhost:5000', 'my-org/store'],
    ['oci://127.0.0.1/a/', 'http://127.0.0.1', 'a'],
    ['oci://[::1]:5000/a', 'http://[::1]:5000', 'a'],
    ['oci://ghcr.io/me/backups', 'https://ghcr.io', 'me/backups'],
    ['oci://docker.io/store', 'https://registry-1.docker.io', 'library/store'],
  ])('%s', (text, origin, repository) => expect(parseReference(text)).toMatchObject({ origin, repository }));

  it.each([
    'localhost:5000/a',
    'oci://',
    'oci://localhost:5000',
    'oci://localhost:5000/',
    'oci://localhost:99999/a',
    'oci://user:secret@host/a',
    'oci://host/UPPER',
    'oci://host/a//b',
    'oci://host/a b',
    'oci://host/-a',
    'oci://ho st/a',
    `oci://host/${'a'.repeat(256)}`,
  ])('refuses %s', (text) => expect(() => parseReference(text)).toThrow(/LOCATION_INVALID/));
});

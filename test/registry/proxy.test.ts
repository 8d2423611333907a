/** Which proxy for which host: pure rules. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isExempt } from '../../src/registry/noProxy.ts';
import { proxyFor } from '../../src/registry/proxy.ts';

const registry = new URL('https://registry.example.org/v2/');
const plain = new URL('http://registry.example.org:5000/v2/');

describe('the proxy of the environment', () => {
  it.each([
    ['no variable', registry, {}, undefined],
    ['https', registry, { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
    ['http', plain, { HTTP_PROXY: 'http://p:1' }, 'http://p:1'],
    ['not the other scheme’s', registry, { HTTP_PROXY: 'http://p:1' }, undefined],
    ['not the other scheme’s', plain, { HTTPS_PROXY: 'http://p:1' }, undefined],
    ['all', registry, { ALL_PROXY: 'http://p:1' }, 'http://p:1'],
    ['the scheme’s before all', registry, { all_proxy: 'http://a', HTTPS_PROXY: 'http://p' }, 'http://p'],
    ['lower case first', registry, { https_proxy: 'http://l', HTTPS_PROXY: 'http://u' }, 'http://l'],
    ['an empty one is none', registry, { https_proxy: '', HTTPS_PROXY: 'http://u' }, 'http://u'],
    ['no HTTP_PROXY in a CGI program', plain, { HTTP_PROXY: 'http://p', REQUEST_METHOD: 'GET' }, undefined],
    ['but http_proxy', plain, { http_proxy: 'http://p', REQUEST_METHOD: 'GET' }, 'http://p'],
    ['without a scheme', registry, { https_proxy: 'proxy.lan:3128' }, 'http://proxy.lan:3128'],
    ['over TLS', registry, { https_proxy: 'https://proxy.lan' }, 'https://proxy.lan'],
    ['exempt', registry, { https_proxy: 'http://p', NO_PROXY: 'example.org' }, undefined],
    ['lower case first', registry, { https_proxy: 'http://p', no_proxy: 'x', NO_PROXY: '*' }, 'http://p'],
  ])('%s: %s, %o', (_, url, env: Record<string, string>, origin) => {
    expect(proxyFor(url, env)?.origin).toBe(origin);
  });

  it.each(['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '[::1]'])('never for %s', (host) => {
    expect(proxyFor(new URL(`https://${host}:5000/`), { ALL_PROXY: 'http://p' })).toBeUndefined();
  });

  it('has its credentials apart', () => {
    const env = { https_proxy: 'http://us%40er:p%3Aw%C3%B6rd@proxy.lan:3128/ignored' };
    const proxy = proxyFor(registry, env);
    expect(proxy?.origin).toBe('http://proxy.lan:3128');
    expect(Buffer.from(proxy?.authorization?.slice(6) ?? '', 'base64').toString()).toBe('us@er:p:wörd');
    expect(proxy?.variable).toBe('https_proxy');
  });

  it.each([
    'socks5://user:secret@proxy:1080',
    'http://user:secret@:3128',
    'http://user:secret%zz@proxy:3128',
    'http://user:secret@pro xy',
    'ftp://user:secret@proxy',
  ])('refuses %s without showing it', (value) => {
    const attempt = () => proxyFor(registry, { ALL_PROXY: value });
    expect(attempt).toThrow(/\[USAGE\] the environment variable ALL_PROXY /);
    expect(attempt).not.toThrow(/secret/);
  });
});

describe('NO_PROXY', () => {
  it.each([
    ['example.org', 'example.org', true],
    ['example.org', 'a.b.example.org', true],
    ['example.org', 'notexample.org', false],
    ['EXAMPLE.org', 'Example.ORG', true],
    ['.example.org', 'example.org', false],
    ['.example.org', 'a.example.org', true],
    ['*.example.org', 'a.example.org', true],
    ['*.example.org', 'example.org', false],
    ['example.org.', 'example.org', true],
    ['a, b  c', 'c', true],
    ['*', 'anything', true],
    ['example.org:443', 'example.org', true],
    ['example.org:5000', 'example.org', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3:443', '10.1.2.3', true],
    ['10.1.2.3:80', '10.1.2.3', false],
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '10.example.org', false],
    ['2001:db8::1', '[2001:db8:0::1]', true],
    ['[2001:db8::1]:443', '[2001:db8::1]', true],
    ['[2001:db8::1]:80', '[2001:db8::1]', false],
    ['2001:db8::/32', '[2001:db8:ffff::1]', true],
    ['2001:db8::/32', '[2001:db9::1]', false],
    ['10.0.0.0/33, x/8, 1.2.3.4/, /, :443, .', 'x', false],
    ['0.0.0.0/0', 'example.org', false],
    ['2.3.4', '1.2.3.4', false],
    ['', 'x', false],
  ])('"%s" exempts %s: %s', (list, host, expected) => {
    expect(isExempt(host, 443, list)).toBe(expected);
  });

  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
  const noise = fc.string({ maxLength: 30 });

  it('never fails, whatever is in it', () => {
    fc.assert(fc.property(name, noise, (host, list) => typeof isExempt(host, 443, list) === 'boolean'));
  });

  it('exempts a name and all below it, and no other name', () => {
    fc.assert(
      fc.property(name, label, name, (domain, sub, stranger) => {
        expect(isExempt(domain, 443, domain)).toBe(true);
        expect(isExempt(`${sub}.${domain}`, 443, domain)).toBe(true);
        expect(isExempt(`${sub}${domain}`, 443, domain)).toBe(false);
        expect(isExempt(`${sub}.${domain}`, 443, `.${domain}`)).toBe(true);
        expect(isExempt(domain, 443, `.${domain}`)).toBe(false);
        if (stranger !== domain && !stranger.endsWith(`.${domain}`)) {
          expect(isExempt(stranger, 443, domain)).toBe(false);
        }
      }),
    );
  });

  it('grows with each entry: none takes an exemption back', () => {
    const host = fc.oneof(name, fc.ipV4());
    fc.assert(
      fc.property(host, fc.array(fc.oneof(name, fc.ipV4(), noise)), noise, (at, entries, more) => {
        const list = entries.join(',');
        return !isExempt(at, 443, list) || isExempt(at, 443, `${more},${list}`);
      }),
    );
  });

  it('agrees with arithmetic on networks', () => {
    const number = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (a, b, bits) => {
        const size = 2 ** (32 - bits);
        const same = Math.floor(number(a) / size) === Math.floor(number(b) / size);
        expect(isExempt(b, 443, `${a}/${bits}`)).toBe(same);
      }),
    );
  });
});

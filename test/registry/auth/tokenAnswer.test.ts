import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTokenAnswer } from '../../../src/registry/auth/tokenAnswer.ts';

const NOW = 1_800_000_000_000;
const parse = (answer: unknown) => parseTokenAnswer(JSON.stringify(answer), NOW);
const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

describe('an answer of a token service', () => {
  it('has the token in either field', () => {
    expect(parse({ token: 't', expires_in: 300 })).toMatchObject({ token: 't', lifeMs: 300_000 });
    expect(parse({ access_token: 'a', refresh_token: 'r' })).toMatchObject({ token: 'a', refreshToken: 'r' });
    expect(parse({ token: '', access_token: 'a' })).toMatchObject({ token: 'a' });
    expect(parse({ token: 't', access_token: 'a' })).toMatchObject({ token: 't' });
  });

  it.each([
    ['expires_in wins', { expires_in: 120, token: jwt({ exp: NOW / 1000 + 999 }) }, 120_000],
    ['as text', { expires_in: '90', token: 't' }, 90_000],
    ['fractions', { expires_in: 1.5, token: 't' }, 1500],
    ['nothing: 60 s', { token: 't' }, 60_000],
    ['0, less, or nonsense: 60 s', { token: 't', expires_in: 0 }, 60_000],
    ['less than 0', { token: 't', expires_in: -5 }, 60_000],
    ['nonsense', { token: 't', expires_in: {} }, 60_000],
    ['far too long', { token: 't', expires_in: 1e300 }, 1e12],
    ['a JWT between two clocks', { token: jwt({ iat: 1000, exp: 1300 }) }, 300_000],
    ['a JWT with its end only', { token: jwt({ exp: NOW / 1000 + 75 }) }, 75_000],
    ['a JWT that ended long ago', { token: jwt({ exp: 10 }) }, 60_000],
    ['a JWT that is none', { token: 'a.b.c' }, 60_000],
  ])('tells its life: %s', (_, answer, lifeMs) => {
    expect(parse(answer)).toMatchObject({ lifeMs });
  });

  it.each([
    ['<html>secret</html>', 'is a web page'],
    ['secret', 'is not JSON'],
    ['["secret"]', 'is no JSON object'],
    ['{"errors":[]}', 'has no token'],
    ['{"token":null}', 'has no token'],
    ['{"token":{"secret":1}}', 'has a malformed token'],
    ['{"token":"a\\r\\nSet-Cookie: x"}', 'has a malformed token'],
    ['{"token":"ä"}', 'has a malformed token'],
  ])('is refused without being quoted: %s', (text, reason) => {
    expect(parseTokenAnswer(text, NOW)).toBe(reason);
  });

  it('never throws, and never gives a token that breaks a header', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.anything().map((value) => String(JSON.stringify({ token: value }))),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const granted = parseTokenAnswer(text, NOW);
        if (typeof granted === 'string') return;
        expect(granted.token).toMatch(/^[\x21-\x7e]+$/);
        expect(granted.lifeMs).toBeGreaterThan(0);
      }),
    );
  });
});

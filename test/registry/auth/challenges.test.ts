import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../src/registry/auth/challenges.ts';

const read = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('challenges', () => {
  it.each([
    ['Basic realm="a, b"', [['basic', { realm: 'a, b' }]]],
    ['BASIC REALM = x', [['basic', { realm: 'x' }]]],
    ['Basic', [['basic', {}]]],
    ['', []],
    [' , ,', []],
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
      [
        [
          'bearer',
          {
            realm: 'https://auth.docker.io/token',
            service: 'registry.docker.io',
            scope: 'repository:a/b:pull,push',
          },
        ],
      ],
    ],
    // Artifactory: two schemes in one header.
    [
      'Bearer realm="https://h/v2/token",service="h", Basic realm="Artifactory"',
      [
        ['bearer', { realm: 'https://h/v2/token', service: 'h' }],
        ['basic', { realm: 'Artifactory' }],
      ],
    ],
    // Several headers, joined; a scheme that has a value and no parameters.
    [
      'Negotiate, NTLM TlRMTVNTUAAC=, basic realm=r , Bearer scope="x y"',
      [
        ['negotiate', {}],
        ['ntlm', {}],
        ['basic', { realm: 'r' }],
        ['bearer', { scope: 'x y' }],
      ],
    ],
    ['Bearer realm="a\\"b\\\\c"', [['bearer', { realm: 'a"b\\c' }]]],
    ['Bearer realm="never closed', [['bearer', { realm: 'never closed' }]]],
    ['Bearer realm=first, realm=second', [['bearer', { realm: 'first' }]]],
    ['Bearer realm=@@, service=s', [['bearer', { service: 's' }]]],
    ['(?), Basic realm=r', [['basic', { realm: 'r' }]]],
  ])('%j', (header, expected) => {
    expect(read(header)).toEqual(expected);
  });

  it('survives whatever a server sends, in time that grows with its length', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('Bearer', ' ', ',', '=', '"', '\\', 'realm', 'a', '\t', '=='), {
          maxLength: 60,
        })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (header) => {
        for (const { scheme, parameters } of parseChallenges(header)) {
          expect(scheme).toBe(scheme.toLowerCase());
          for (const name of parameters.keys()) expect(name).toBe(name.toLowerCase());
        }
      }),
      { numRuns: 500 },
    );
    parseChallenges(`Bearer realm="${'\\'.repeat(200_000)}`);
    parseChallenges('a'.repeat(200_000));
    parseChallenges(`Bearer ${' ='.repeat(100_000)}`);
  });

  it('reads back what was written by the rules, in any case and spacing', () => {
    const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_-]{0,8}$/);
    const space = fc.constantFrom('', ' ', '\t ');
    const challenge = fc.record({
      scheme: name,
      parameters: fc.uniqueArray(fc.tuple(name, fc.string({ maxLength: 20 }), space, space), {
        minLength: 1,
        maxLength: 4,
        selector: ([key]) => key.toLowerCase(),
      }),
    });
    const quote = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`;
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 4 }), (challenges) => {
        const header = challenges
          .map(
            ({ scheme, parameters }) =>
              `${scheme} ${parameters.map(([key, value, a, b]) => `${key}${a}=${b}${quote(value)}`).join(`,${' '}`)}`,
          )
          .join(', ');
        expect(read(header)).toEqual(
          challenges.map(({ scheme, parameters }) => [
            scheme.toLowerCase(),
            Object.fromEntries(parameters.map(([key, value]) => [key.toLowerCase(), value])),
          ]),
        );
      }),
    );
  });
});

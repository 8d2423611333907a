/** The language of faults: what it takes, what it says to the rest, and that its dice fall the same way each time. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FAULTS } from '../../src/emulator/faults/catalogue.ts';
import { parseFaults } from '../../src/emulator/faults/index.ts';
import { GROUPS, KINDS } from '../../src/emulator/faults/kinds.ts';
import { formatSpecText, parseSpecText } from '../../src/emulator/faults/specText.ts';
import * as values from '../../src/emulator/faults/values.ts';
import type { Exchange } from '../../src/emulator/faults.ts';
import { isKlosetError } from '../../src/errors.ts';

const EXCHANGE: Omit<Exchange, 'recentTags'> = {
  method: 'PUT',
  route: 'manifest',
  path: '/v2/a/b/manifests/t',
  query: new URLSearchParams(),
  headers: { 'content-length': '10' },
  repository: 'a/b',
  reference: 't',
  ordinal: 0,
};

/** A new exchange each time: a plan remembers those that it has seen. */
const exchange = (changes: Partial<Exchange> = {}): Exchange => ({ ...EXCHANGE, ...changes });

/** Which of so many equal requests a plan strikes. */
function struck(spec: string, requests: number, options: Parameters<typeof parseFaults>[1] = {}): number[] {
  const plan = parseFaults([spec], options);
  const numbers = Array.from({ length: requests }, (_, index) => index + 1);
  return numbers.filter(() => plan.before?.(exchange()) !== undefined);
}

describe('the language of faults', () => {
  test.each(FAULTS.map((fault) => fault.example))('takes the example %s, in its shortest form', (example) => {
    const [count] = parseFaults([example]).counts();
    expect(count).toEqual({ spec: example, seen: 0, hits: 0 });
  });

  test.each([
    ['rest', /"rest" is no fault; the nearest is "reset"/],
    ['stal@blob-read', /the nearest is "stall"/],
    ['429@manifest-wrte:every=10', /"manifest-wrte" is no kind of request; the nearest is "manifest-write"/],
    ['reset:ntth=2', /"ntth" is no key of this fault; the nearest is "nth"/],
    ['429:spelling=dockerhubb', /the nearest is "dockerhub"/],
    ['limit:max=1MiB,as=nginx', /"nginx" is no word that it takes; there are proxy, registry, ghcr, reset/],
    ['399', /399 is no status from 400 to 599/],
    ['600', /600 is no status/],
    ['', /names no fault/],
    ['reset@', /"" is no kind of request/],
    ['reset@a@b', /more than one "@"/],
    ['reset:', /"" is no key/],
    ['reset:p=0.1,', /"" is no key/],
    ['reset:p=2', /p: expected a probability above 0, at most 1, got "2"/],
    ['reset:p=0', /probability/],
    ['reset:nth=0', /nth: expected a number/],
    ['reset:nth=4..2', /nth: expected/],
    ['reset:every=1.5', /a whole number from 1/],
    ['reset:nth=1,every=2', /exclude each other/],
    ['reset:nth=1,nth=2', /"nth" stands twice/],
    ['reset@upload-chunk:at=101%', /a place such as/],
    ['reset@upload-chunk:at=-4KiB', /a place such as/],
    ['reset@upload-chunk:at=4KiB,after=40%', /at and after are the same/],
    ['stall@blob-read:at=9e9', /a place such as/],
    ['drip@blob-read:rate=20KiB', /bytes per second/],
    ['drip@blob-read:rate=0KiB/s', /bytes per second/],
    ['drip@ping:rate=1KiB/s', /drip does not go with ping; it goes with/],
    ['drip', /it needs rate=/],
    ['delay:by=40h', /of a day at most/],
    ['delay:by=2', /a time such as/],
    ['cap:rate=10', /a rate such as/],
    ['cap:rate=0/s', /a rate such as/],
    ['cap:rate=1/d', /a rate such as/],
    ['cap:rate=9999999/s', /a rate such as/],
    ['quota:bytes=1TiB', /a size such as/],
    ['quota:bytes=99999999999999999GiB', /a size such as/],
    ['chunks:min=5MiB,max=1MiB', /min is larger than max/],
    ['connections@*:max=4', /about the registry as a whole/],
    ['connections:max=4,nth=1', /"nth" is no key/],
    ['lost', /it needs a kind of request, for example lost@upload-commit/],
    ['restart', /needs at= or a kind/],
    ['restart@upload-chunk:at=3s', /not at both/],
    ['session-expiry', /needs after=, age= or bytes=/],
    ['eventual', /needs for= or reads=/],
    ['ignore@blob-read', /needs header= or query=/],
    ['answer', /needs status= or set-HEADER=/],
    ['answer:set-=x', /no key of this fault/],
    ['500:handled=yes', /handled takes no value/],
    ['500:code', /code needs a value/],
    ['500:message="a,b', /cannot be read/],
  ])('refuses %s', (spec, said) => {
    const attempt = () => parseFaults([spec]);
    expect(attempt).toThrow(said);
    expect(attempt).toThrow(/^\[USAGE\] fault "[^\n]*$/);
  });

  test('values in quotes may hold commas and blanks, and come back in them', () => {
    const spec = '500@*:message="one, two",code=A';
    expect(parseFaults([`  ${spec} `]).counts()[0]?.spec).toBe(spec);
  });

  test('reading and writing a fault are inverse', () => {
    const word = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/);
    const value = fc.string({ maxLength: 20 }).filter((text) => !text.includes('"'));
    const spec = fc.record({
      name: word,
      kinds: fc.array(word, { maxLength: 3 }),
      params: fc.uniqueArray(
        fc.tuple(
          word,
          fc.option(
            value.map((text) => text.trim()),
            { nil: undefined },
          ),
        ),
        {
          selector: ([key]) => key,
          maxLength: 4,
        },
      ),
    });
    fc.assert(
      fc.property(spec, (written) => {
        expect(parseSpecText(formatSpecText(written))).toEqual(written);
      }),
    );
  });

  test('whatever the text, it is a plan or one line of USAGE', () => {
    const pieces = fc.constantFrom(
      ...['@', ':', ',', '=', '"', '%', '+', '..', '/s', '-1', '1e9', '0', '5MiB', '∞', '\n', '__proto__'],
      ...FAULTS.map(({ name }) => name),
      ...KINDS,
      ...Object.keys(GROUPS),
      ...FAULTS.flatMap(({ params }) => Object.keys(params)),
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 9 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (spec) => {
        try {
          parseFaults([spec]);
        } catch (error) {
          expect(isKlosetError(error, 'USAGE')).toBe(true);
          expect(String(error)).not.toContain('\n');
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('numbers and their units', () => {
    expect(values.parseSize('1.5MiB')).toBe(1_572_864);
    expect(values.parseSize('500kB')).toBe(500_000);
    expect(values.parseTime('1.5s')).toBe(1500);
    expect(values.parseEventRate('600/m')).toBe(10);
    expect(values.parseByteRate('20KiB/s')).toBe(20_480);
    expect(values.parsePlace('40%')).toEqual({ share: 0.4 });
    expect(values.parseSpan('2..')).toEqual({ first: 2, last: Number.POSITIVE_INFINITY });
    expect(values.placeIn({ share: 0.4 }, 1000)).toBe(400);
  });
});

describe('which requests a fault strikes', () => {
  test.each([
    ['500', [1, 2, 3, 4, 5, 6]],
    ['500:nth=2', [2]],
    ['500:nth=2..4', [2, 3, 4]],
    ['500:nth=5..', [5, 6]],
    ['500:every=3', [3, 6]],
    ['500:every=2,count=2', [2, 4]],
    ['500@manifest', [1, 2, 3, 4, 5, 6]],
    ['500@blob+upload', []],
    ['500:repo=a/b,by=tag,body=some,has=content-length,part=first', [1, 2, 3, 4, 5, 6]],
    ['500:repo=a', []],
    ['500:by=digest', []],
    ['500:body=empty', []],
    ['500:has=cookie', []],
    ['500:part=later', []],
  ])('%s', (spec, expected) => expect(struck(spec, 6)).toEqual(expected));

  test('a window opens and closes by the clock of the plan, from the moment it comes into force', () => {
    let nowMs = 5000;
    const plan = parseFaults(['storm:from=10s,for=20s'], { nowMs: () => nowMs });
    nowMs = 60_000;
    const end = plan.start?.({
      restart: () => {},
      dropSession: async () => {},
      dropBlob: async () => {},
      limitConnections: () => {},
    });
    const strikes = [0, 9999, 10_000, 29_999, 30_000].map((passedMs) => {
      nowMs = 60_000 + passedMs;
      return plan.before?.(exchange()) !== undefined;
    });
    end?.();
    expect(strikes).toEqual([false, false, true, true, false]);
  });

  test('a bucket refills with the clock and holds no more than its burst', () => {
    let nowMs = 0;
    const plan = parseFaults(['cap:rate=10/s,burst=3'], { nowMs: () => nowMs });
    const passing = () => {
      let passed = 0;
      while (plan.before?.(exchange()) === undefined) passed++;
      return passed;
    };
    expect(passing()).toBe(3);
    nowMs = 100;
    expect(passing()).toBe(1);
    nowMs = 60_000;
    expect(passing()).toBe(3);
    expect(plan.counts()).toEqual([{ spec: 'cap:rate=10/s,burst=3', seen: 10, hits: 3 }]);
  });

  test('the same seed and order of requests give the same decisions, another seed gives others', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0.05, max: 0.95, noNaN: true }), (seed, chance) => {
        const spec = `500:p=${chance.toFixed(4)}`;
        const once = struck(spec, 200, { seed });
        expect(struck(spec, 200, { seed })).toEqual(once);
        expect(struck(spec, 200, { seed: seed + 1 })).not.toEqual(once);
      }),
    );
  });

  test('a probability is met', () => {
    const hits = struck('500:p=0.05', 20_000, { seed: 7 }).length;
    expect(hits).toBeGreaterThan(880);
    expect(hits).toBeLessThan(1120);
  });

  test("one fault's draws do not depend on how often another drew", () => {
    const hitsOf = (first: string) => {
      const plan = parseFaults([first, '500@manifest-write:p=0.3'], { seed: 3 });
      return Array.from({ length: 100 }, () => plan.before?.(exchange()) !== undefined);
    };
    expect(hitsOf('500@ping:p=0.5')).toEqual(hitsOf('500@blob-read:p=0.1'));
  });
});

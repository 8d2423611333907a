import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScopeSet } from '../../../src/registry/auth/scopeSet.ts';

const set = (text: string) => ScopeSet.parse(text);

describe('sets of scopes', () => {
  it('keep the order and the spelling of the registry', () => {
    expect(set('repository:a/b:push,pull').list()).toEqual(['repository:a/b:push,pull']);
    expect(set('repository:a:metadata_read  repository:b:pull').list()).toEqual([
      'repository:a:metadata_read',
      'repository:b:pull',
    ]);
    expect(set(':any odd repository:a:').list()).toEqual([':any', 'odd', 'repository:a:']);
    expect(set('repository:host:5000/a:pull').list()).toEqual(['repository:host:5000/a:pull']);
    expect(set('').list()).toEqual([]);
  });

  it('are joined by resource, the first set first', () => {
    const joined = set('repository:a:metadata_read').with(
      set('repository:b:pull repository:a:pull,metadata_read'),
    );
    expect(joined.toString()).toBe('repository:a:metadata_read,pull repository:b:pull');
  });

  it('cover others, and begin alike', () => {
    const held = set('repository:a:pull,push repository:b:pull');
    expect(held.covers(set('repository:a:pull'))).toBe(true);
    expect(held.covers(set('repository:a:pull,delete'))).toBe(false);
    expect(held.covers(set('repository:c:pull'))).toBe(false);
    expect(held.covers(ScopeSet.empty)).toBe(true);
    expect(held.beginsLike(set('repository:a:delete'))).toBe(true);
    expect(held.beginsLike(set('repository:b:pull'))).toBe(false);
    expect(held.beginsLike(ScopeSet.empty)).toBe(true);
  });

  it('cover what they were joined from, whatever that was', () => {
    const scopes = fc.array(
      fc.oneof(
        fc.string({ maxLength: 12 }),
        fc
          .tuple(fc.constantFrom('a', 'b', 'c/d'), fc.subarray(['pull', 'push', 'delete'], { minLength: 1 }))
          .map(([name, actions]) => `repository:${name}:${actions.join(',')}`),
      ),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(scopes, scopes, (one, other) => {
        const [a, b] = [set(one.join(' ')), set(other.join(' '))];
        const joined = a.with(b);
        expect(joined.covers(a) && joined.covers(b)).toBe(true);
        expect(joined.beginsLike(a)).toBe(true);
        expect(set(joined.toString()).toString()).toBe(joined.toString());
        expect(joined.with(a).toString()).toBe(joined.toString());
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { parseUsers } from '../../src/cli/registryAuth.ts';

describe('a file of users', () => {
  it('has a user per line, with rights or with all of them', () => {
    const text = '# people\nalice:won:der\r\n\nreader:look pull@team/* pull,push@team/shared\n';
    expect(parseUsers(text, 'users')).toEqual({
      alice: { password: 'won:der' },
      reader: {
        password: 'look',
        rights: [
          { repositories: 'team/*', actions: ['pull'] },
          { repositories: 'team/shared', actions: ['pull', 'push'] },
        ],
      },
    });
  });

  it.each([
    ['alice', /line 1: expected NAME:PASSWORD/],
    ['ok:fine\nalice:', /line 2: expected NAME:PASSWORD/],
    ['alice:secret write@*', /line 1: expected rights/],
    ['alice:secret pull', /line 1: expected rights/],
    ['# nobody', /names no user/],
  ])('is refused with its line, and without what it holds: %j', (text, said) => {
    const error = (() => {
      try {
        return parseUsers(text, 'users');
      } catch (thrown) {
        return String(thrown);
      }
    })();
    expect(error).toMatch(said);
    expect(error).not.toContain('secret');
  });
});

import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { PROFILE_NAMES } from '../../src/emulator/profiles/index.ts';
import { type Running, start } from '../support/processes.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const registry = (...args: string[]): Running => start(process.execPath, [MAIN, 'registry', ...args]);

describe('registry serve --profile', () => {
  let running: Running;
  afterEach(async () => {
    await running.stop();
  });

  it('is that registry, with what its flags say', async () => {
    running = registry(
      ...['serve', '--port', '0', '--json', '--profile', 'ecr'],
      ...['--repository', 'me/*', '--repository', 'you/one'],
    );
    const [, line = ''] = await running.waitForLine(/^(\{"event":"listening".*\})$/);
    const { url, profile } = JSON.parse(line);
    expect(profile).toBe('ecr');
    const post = async (name: string) =>
      (await fetch(`${url}/v2/${name}/blobs/uploads/`, { method: 'POST' })).status;
    expect([await post('me/a'), await post('you/one'), await post('you/two')]).toEqual([202, 202, 404]);
  });

  it.each([
    [['--profile', 'harbour'], /there is no profile "harbour".*Did you mean harbor\?/],
    [['--repository', 'me/*'], /need --profile/],
    [['--profile', 'ghcr', '--rate-limits', '0'], /positive number/],
    [['--profile', 'ghcr', '--token-life', '5s'], /need --users-file/],
  ])('refuses %j', async (flags, said) => {
    running = registry('serve', '--port', '0', ...flags);
    expect((await running.exited).code).toBe(2);
    expect(running.output()).toMatch(said);
  });
});

describe('registry profiles', () => {
  it('lists all of them, for people and for programs', async () => {
    const [people, programs] = [registry('profiles'), registry('profiles', '--json')];
    expect([(await people.exited).code, (await programs.exited).code]).toEqual([0, 0]);
    for (const name of PROFILE_NAMES) expect(people.output()).toMatch(new RegExp(`^${name}: `, 'm'));
    const lines = programs.output().trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).name)).toEqual(PROFILE_NAMES);
  });
});

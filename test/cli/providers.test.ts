import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ProfileName, type RunningRegistry, startRegistry } from '../../src/emulator/index.ts';
import { cliPath } from '../support/cli.ts';
import { runMeasured } from '../support/measured.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { seededBytes } from '../support/seededBytes.ts';

let registry: RunningRegistry;
let home: Scratch;

beforeEach(async () => {
  home = await scratch('providers');
  await writeFile(join(home.path, 'packfile'), seededBytes(1, 3_000_000));
});
afterEach(async () => {
  await registry.close();
  await home.remove();
});

async function push(profile: ProfileName, profileSettings: object) {
  registry = await startRegistry({ profile, profileSettings });
  const location = `oci://${registry.address}/backup/store`;
  const { code, stderr, stdout } = await runMeasured(process.execPath, [
    ...[cliPath(), 'push', join(home.path, 'packfile'), location, '--quiet'],
  ]);
  expect(stdout).toBe('');
  // One line, whatever went wrong.
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  return { code, stderr };
}

it('says that a repository has to be created first, and asks once', async () => {
  const { code, stderr } = await push('ecr', { repositories: [] });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /\[REPOSITORY_UNKNOWN\] packfile [0-9a-f]{64} on .*\/backup\/store: .*created first/,
  );
  expect(registry.countRequests({ method: 'PATCH' })).toBe(0);
});

it.each<[ProfileName, RegExp]>([
  ['harbor', /\[QUOTA_EXCEEDED\] packfile .*waiting does not help/],
  ['quay', /\[QUOTA_EXCEEDED\] packfile .*waiting does not help/],
  // It says no more than that the request is not authorised.
  ['ecr', /\[ACCESS_DENIED\] packfile .*storage quota/],
])('names the quota of %s, and does not ask again and again', async (profile, message) => {
  const { code, stderr } = await push(profile, { repositories: ['*'], quotaBytes: 1_000_000 });
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(registry.requestLog().filter(({ status }) => status === 403).length).toBeLessThanOrEqual(4);
  expect(registry.openSessions()).toEqual([]);
});

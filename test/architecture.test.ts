import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  findForbiddenCalls,
  findForbiddenImports,
  findLongFiles,
  type Sources,
  specifiersOf,
} from './architectureRules.ts';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

describe('the sources', () => {
  let sources: Sources;

  beforeAll(async () => {
    const entries = await readdir(SRC, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
    sources = Object.fromEntries(
      await Promise.all(
        files.map(async (entry) => {
          const path = join(entry.parentPath, entry.name);
          return [relative(SRC, path).split(sep).join('/'), await readFile(path, 'utf8')] as const;
        }),
      ),
    );
  });

  it('are all read, with their imports', () => {
    expect(Object.keys(sources)).toEqual(
      expect.arrayContaining(['errors.ts', 'cli/main.ts', 'cli/commands/push.ts', 'emulator/index.ts']),
    );
    expect(specifiersOf(sources['cli/main.ts'] ?? '')).toContain('./run.ts');
    expect(specifiersOf(sources['store/ociStore.ts'] ?? '')).toContain('../registry/exchange.ts');
  });

  it('import one way', () => expect(findForbiddenImports(sources)).toEqual([]));
  it('speak only where they may', () => expect(findForbiddenCalls(sources)).toEqual([]));
  it('are short', () => expect(findLongFiles(sources)).toEqual([]));
});

describe('the import rule', () => {
  const from = (path: string, specifier: string) =>
    findForbiddenImports({ [path]: `import { x } from '${specifier}';` });

  it.each([
    ['flow/retry.ts', '../registry/exchange.ts', 'flow must not import registry'],
    ['flow/retry.ts', '../engine/source.ts', 'flow must not import engine'],
    ['registry/blobs.ts', '../workers/hasher.ts', 'registry must not import workers'],
    ['registry/blobs.ts', '../engine/source.ts', 'registry must not import engine'],
    ['registry/blobs.ts', '../store/ociStore.ts', 'registry must not import store'],
    ['workers/hasher.ts', '../registry/blobs.ts', 'workers must not import registry'],
    ['engine/coordinator.ts', '../store/ociStore.ts', 'engine must not import store'],
    ['engine/coordinator.ts', '../emulator/index.ts', 'engine must not import emulator'],
    ['store/ociStore.ts', '../cli/output.ts', 'store must not import cli'],
    ['store/ociStore.ts', '../plugin/server.ts', 'store must not import plugin'],
    ['store/ociStore.ts', '../emulator/index.ts', 'store must not import emulator'],
    ['plugin/server.ts', '../cli/output.ts', 'plugin must not import cli'],
    ['plugin/server.ts', '../emulator/index.ts', 'plugin must not import emulator'],
    ['emulator/router.ts', '../flow/clock.ts', 'emulator must not import flow'],
    ['errors.ts', './flow/clock.ts', 'errors must not import flow'],
    ['engine/deep/x.ts', '../../store/ociStore.ts', 'engine must not import store'],
    ['cli/commands/push.ts', '../../index.ts', 'cli must not import index'],
    ['cli/commands/push.ts', '../../../test/x.ts', 'cli must not import <outside of src>'],
  ])('refuses %s → %s', (path, specifier, reason) => {
    const [finding, ...others] = from(path, specifier);
    expect(others).toEqual([]);
    expect(finding).toContain(`${path} → `);
    expect(finding).toContain(reason);
  });

  it('refuses a package in the emulator, and a folder that is no layer', () => {
    expect(from('emulator/router.ts', 'undici')).toEqual([
      'emulator/router.ts → undici: emulator imports only node:, errors and itself',
    ]);
    expect(from('helpers/x.ts', '../errors.ts')).toEqual([
      'helpers/x.ts: "helpers" is no layer of design.md §2',
    ]);
  });

  it.each([
    ['store/ociStore.ts', '../engine/coordinator.ts'],
    ['store/ociStore.ts', './manifest.ts'],
    ['cli/commands/demo.ts', '../../emulator/index.ts'],
    ['cli/run.ts', 'commander'],
    ['emulator/registry.ts', '../errors.ts'],
    ['emulator/registry.ts', 'node:http'],
    ['index.ts', './store/ociStore.ts'],
    ['workers/hasher.ts', '../flow/clock.ts'],
  ])('allows %s → %s', (path, specifier) => expect(from(path, specifier)).toEqual([]));

  it.each([
    "import type { A } from '../store/a.ts';",
    "import '../store/a.ts';",
    'import a from "../store/a.ts";',
    "import * as a from '../store/a.ts';",
    "import {\n  a,\n  type B,\n} from '../store/a.ts';",
    "export { a } from '../store/a.ts';",
    "export * from '../store/a.ts';",
    "export type { A } from '../store/a.ts';",
    "const a = await import('../store/a.ts');",
    "const u = 'oci://x'; const a = await import('../store/a.ts');",
  ])('sees %j', (text) => {
    expect(findForbiddenImports({ 'engine/x.ts': text })).toEqual([
      'engine/x.ts → store/a.ts: engine must not import store',
    ]);
  });

  it('sees no import in a comment or a string', () => {
    const text = "// import '../store/a.ts';\n/* import '../store/b.ts' */\nconst from = 'a';\n";
    expect(findForbiddenImports({ 'engine/x.ts': text })).toEqual([]);
  });
});

describe('the rule of who speaks', () => {
  const calls = (path: string, text: string) => findForbiddenCalls({ [path]: text });

  it.each([
    ['cli/x.ts', "await fetch('http://x');", 'fetch'],
    ['registry/x.ts', 'globalThis.fetch(url)', 'fetch'],
    ['store/x.ts', 'console.log(1)', 'console'],
    ['store/x.ts', 'process.exit(1)', 'process.exit'],
    ['store/x.ts', 'process.exitCode = 1', 'process.exitCode'],
    ['engine/x.ts', "process.stdout.write('x')", 'process write'],
    ['engine/x.ts', "process.stderr.write('x')", 'process write'],
    ['workers/other.ts', "case 'crash': process.exit(1)", 'process.exit'],
    ['workers/hashWorker.ts', "case 'crash': break; case 'hash': process.exit(1)", 'process.exit'],
    ['workers/hashWorker.ts', 'process.exit(1)', 'process.exit'],
    ['plugin/x.ts', 'const out = process.stdout;', 'stdout in plugin'],
    ['plugin/x.ts', "writeSync(1, 'x')", 'stdout in plugin'],
    ['plugin/x.ts', 'const err = process.stderr;', 'stderr in plugin'],
    ['plugin/main.ts', "writeSync(2, 'x')", 'stderr in plugin'],
    ['plugin/log.ts', 'const out = process.stdout;', 'stdout in plugin'],
    ['plugin/log.ts', 'console.log(1)', 'console'],
    ['plugin/log.ts', 'process.exit(1)', 'process.exit'],
    ['plugin/lifecycle.ts', 'process.exit(1)', 'process.exit'],
    ['plugin/main.ts', 'process.exitCode = 1', 'process.exitCode'],
  ])('refuses %s: %s', (path, text, what) => {
    expect(calls(path, `\n${text}`)).toEqual([`${path}:2: ${what}`]);
  });

  it.each([
    ['cli/x.ts', 'console.log(1); process.exit(1); process.stdout.write("x")'],
    ['workers/hashWorker.ts', "case 'crash':\n process.exit(1)"],
    ['plugin/main.ts', 'process.exit(1)'],
    ['plugin/log.ts', "process.stderr.write('x')"],
    ['store/x.ts', '// console.log(1)\nprefetch(1); this.fetch(2); #fetch; process.hrtime()'],
  ])('allows %s: %s', (path, text) => expect(calls(path, text)).toEqual([]));
});

describe('the rule of length', () => {
  it('counts lines', () => {
    expect(findLongFiles({ 'a.ts': 'x\n'.repeat(350), 'b.ts': 'x\n'.repeat(351) })).toEqual([
      'b.ts: 351 lines, at most 350 are allowed',
    ]);
  });
});

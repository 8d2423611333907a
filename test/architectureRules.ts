/** The import and output rules of design.md §2, as functions from sources to findings. */

/** Text of each source file by its path below `src/`, with forward slashes. */
export type Sources = Readonly<Record<string, string>>;

/** Which folders a folder may import from, beside itself. `index.ts` re-exports from anywhere. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  flow: ['errors'],
  registry: ['flow', 'errors'],
  workers: ['flow', 'errors'],
  engine: ['registry', 'workers', 'flow', 'errors'],
  store: ['engine', 'registry', 'workers', 'flow', 'errors'],
  plugin: ['store', 'engine', 'registry', 'workers', 'flow', 'errors'],
  cli: ['plugin', 'store', 'engine', 'registry', 'workers', 'flow', 'errors', 'emulator'],
  emulator: ['errors'],
};

const MAX_LINES = 350;

/** A fault of the hash worker on request: it ends its own thread, not the program. */
const TOLERATED_EXIT = { path: 'workers/hashWorker.ts', after: "case 'crash'" };

/** The plugin is a program of its own: one file starts and ends it, one file writes to the terminal. */
const PLUGIN_ENTRY = 'plugin/main.ts';
const PLUGIN_LOG = 'plugin/log.ts';

/** Every edge that leads the wrong way, as a sentence that names it. */
export function findForbiddenImports(sources: Sources): string[] {
  const findings: string[] = [];
  for (const [path, text] of Object.entries(sources)) {
    const from = layerOf(path);
    if (from === 'index') continue;
    const allowed = ALLOWED[from];
    if (!allowed) {
      findings.push(`${path}: "${from}" is no layer of design.md §2`);
      continue;
    }
    for (const specifier of specifiersOf(text)) {
      if (!specifier.startsWith('.')) {
        if (from === 'emulator' && !specifier.startsWith('node:')) {
          findings.push(`${path} → ${specifier}: emulator imports only node:, errors and itself`);
        }
        continue;
      }
      const target = resolve(path, specifier);
      const to = layerOf(target);
      if (to === from || allowed.includes(to)) continue;
      findings.push(`${path} → ${target}: ${from} must not import ${to}`);
    }
  }
  return findings;
}

/** What speaks to the outside where it must not. */
export function findForbiddenCalls(sources: Sources): string[] {
  const findings: string[] = [];
  for (const [path, text] of Object.entries(sources)) {
    const layer = layerOf(path);
    const code = withoutComments(text);
    const forbid = (pattern: RegExp, what: string) => {
      for (const match of code.matchAll(pattern)) {
        if (what === 'process.exit' && isTolerated(path, code.slice(0, match.index))) continue;
        findings.push(`${path}:${code.slice(0, match.index).split('\n').length}: ${what}`);
      }
    };
    forbid(/(?<![\w.$])(?:globalThis\.)?fetch\s*\(/g, 'fetch');
    if (layer === 'plugin') forbid(/process\.stdout\b|(?<!\w)writeSync\(\s*1\b/g, 'stdout in plugin');
    if (layer === 'cli') continue;
    forbid(/(?<![\w.$])console\s*\./g, 'console');
    if (path !== PLUGIN_ENTRY) {
      forbid(/(?<![\w$])process\s*\.\s*(?:exit|reallyExit|abort)\b(?!Code)/g, 'process.exit');
    }
    forbid(/(?<![\w$])process\s*\.\s*exitCode\s*=/g, 'process.exitCode');
    // The log writes to stderr and nowhere else; all others under plugin/ may not even name it.
    if (path === PLUGIN_LOG) continue;
    if (layer === 'plugin') forbid(/process\s*\.\s*stderr\b|(?<!\w)writeSync\(\s*2\b/g, 'stderr in plugin');
    forbid(/(?<![\w$])process\s*\.\s*(?:stdout|stderr)\s*\.\s*write\b/g, 'process write');
  }
  return findings;
}

/** Files that hold more than one idea, by their length. */
export function findLongFiles(sources: Sources): string[] {
  return Object.entries(sources)
    .map(([path, text]) => ({ path, lines: text.replace(/\n$/, '').split('\n').length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines, at most ${MAX_LINES} are allowed`);
}

/** All module names in static and dynamic imports and in re-exports. */
export function specifiersOf(text: string): string[] {
  const code = withoutComments(text);
  const pattern =
    /(?<![\w.$])(?:(?:import|export)\b[^'";()]*?\bfrom\s*|import\s*\(\s*|import\s*)(['"`])([^'"`\n]+)\1/g;
  return [...code.matchAll(pattern)].map((match) => match[2] ?? '');
}

/** Code with its comments blanked, line numbers kept. Strings stay, so that `'oci://…'` is no comment. */
function withoutComments(text: string): string {
  const pattern = /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(pattern, (whole, quoted?: string) => quoted ?? whole.replace(/[^\n]/g, ' '));
}

function isTolerated(path: string, before: string): boolean {
  if (path !== TOLERATED_EXIT.path) return false;
  const at = before.lastIndexOf(TOLERATED_EXIT.after);
  return at >= 0 && !/\bcase '/.test(before.slice(at + TOLERATED_EXIT.after.length));
}

function layerOf(path: string): string {
  const slash = path.indexOf('/');
  return slash < 0 ? path.replace(/\.ts$/, '') : path.slice(0, slash);
}

function resolve(path: string, specifier: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') {
      if (parts.length === 0) parts.push('<outside of src>');
      else parts.pop();
    } else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

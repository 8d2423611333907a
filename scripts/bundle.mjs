// Programs as few files: Node opens, compiles and links each module, and every command waits for that.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const resolve = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/**
 * Bundles an entry with what it imports into a folder, as CommonJS: its start is some 10 ms shorter than that of ES
 * modules. What the entry imports dynamically becomes a file of its own, loaded when it is needed.
 *
 * Piscina starts `worker.js` beside its own code, and the hash pool `hashWorker.js` beside its: both are bundles of
 * their own under those names.
 *
 * @param {string} entry path of the program's main file, below the project's root
 * @param {string} folder where the files go; the entry becomes `main.js`
 * @returns {Promise<{files: string[], packages: Map<string, string>}>} names of the files, and the folders of the
 *   npm packages that went into them, by name
 */
export async function bundle(entry, folder) {
  const build = await rolldown({
    input: {
      main: resolve(entry),
      hashWorker: resolve('src/workers/hashWorker.ts'),
      worker: resolve('node_modules/piscina/dist/worker.js'),
    },
    platform: 'node',
    // The module form of hash-wasm is reduced to its SHA-256; the other one is 216 KB that every hash thread compiles.
    resolve: { mainFields: ['module', 'main'] },
    plugins: [partsOfUndici],
    // Piscina's way to change a thread's priority, which it asks for only where `niceIncrement` is set; and what draws
    // charts, a megabyte for reports alone, which looks for a canvas with an await that CommonJS has not.
    external: ['@napi-rs/nice', 'vega', 'vega-lite'],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`the bundler warns: ${log.message}`);
    },
  });
  try {
    const { output } = await build.write({
      dir: folder,
      format: 'cjs',
      exports: 'named',
      minify: true,
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
    });
    // Without it, Node looks for one upwards, into the user's folders, to learn how the files are to be read.
    writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
    const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
    return {
      files: [...output.map((file) => file.fileName), 'package.json'],
      packages: packagesOf(modules),
    };
  } finally {
    await build.close();
  }
}

/** The parts of undici that a module of ours needs, instead of all of it. */
const partsOfUndici = {
  name: 'parts of undici',
  resolveId: (source, importer) => {
    if (source !== 'undici') return null;
    const throughProxy = importer?.endsWith('/proxyClient.ts');
    return resolve(throughProxy ? 'scripts/undiciProxy.mjs' : 'scripts/undiciPool.mjs');
  },
};

function packagesOf(modules) {
  const packages = new Map();
  for (const id of modules) {
    if (!id.includes('/node_modules/')) continue;
    let folder = dirname(id);
    while (!isPackageFolder(folder)) folder = dirname(folder);
    packages.set(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name, folder);
  }
  return packages;
}

function isPackageFolder(folder) {
  try {
    // Some packages have further ones inside, without a name, that only say how their files are to be read.
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name !== undefined;
  } catch {
    return false;
  }
}

// Builds the plakar package: `npm run plakar:package`; `npm run plakar:package -- --help` tells the options.
import { readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { layOut } from './plakar/layOut.mjs';
import { findPlakar, pack } from './plakar/pack.mjs';
import { fetchRuntime, hostTarget } from './plakar/runtime.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const HELP = `Usage: npm run plakar:package -- [options]

  --target SYSTEM-ARCH  linux-amd64, linux-arm64, darwin-amd64 or darwin-arm64; this machine by default
  --runtime FOLDER      an unpacked Node for the target (bin/node, LICENSE), as nodejs.org has it; by default npm's,
                        in the version that this project is developed with
  --out FOLDER          where the package goes (default dist-package)
  --manifest FILE       only lays out the files and writes this manifest.yaml, for \`plakar pkg build\`
`;

async function main() {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', default: hostTarget() },
      runtime: { type: 'string' },
      out: { type: 'string', default: 'dist-package' },
      manifest: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const { target } = values;
  // Before the work rather than after it.
  const plakar = values.manifest === undefined ? findPlakar() : undefined;
  const runtime = values.runtime === undefined ? fetchRuntime(target) : resolve(values.runtime);
  const out = resolve(values.out);
  const folder = join(out, target);
  const manifest = resolve(values.manifest ?? join(folder, 'manifest.yaml'));
  await layOut({ target, runtime, folder, manifest });
  if (plakar === undefined) return;

  const version = `v${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}`;
  const packed = join(out, `oci_${version}_${target.replace('-', '_')}.ptar`);
  pack(plakar, manifest, version, packed);
  const mebibytes = (statSync(packed).size / 1024 / 1024).toFixed(0);
  process.stdout.write(`${relative(process.cwd(), packed)}, ${mebibytes} MiB\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`plakar:package: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

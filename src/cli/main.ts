#!/usr/bin/env node
import module from 'node:module';

// Loading and compiling the modules is most of the time to the first request; the cache halves it.
module.enableCompileCache?.();

const { run } = await import('./run.ts');
await run(process.argv);

#!/usr/bin/env node
import module from 'node:module';

// Compiling the modules is most of the time to the first request; the cache halves it.
module.enableCompileCache?.();

// Loaded only now, so that the cache serves it.
import('./run.ts').then(({ run }) => run(process.argv));

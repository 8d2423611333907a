const { enableCompileCache } = require('node:module');
const { join } = require('node:path');
// Compiling is a quarter of the time to the first answer. Beside the program, so that removing the package removes
// the cache too; where that folder cannot be written, the plugin merely starts without one.
enableCompileCache({ directory: join(__dirname, 'compile-cache'), portable: true });
require('./main.js');
